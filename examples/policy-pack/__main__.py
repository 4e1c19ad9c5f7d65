"""otherside's rules as a policy pack: `pulumi preview --policy-pack examples/policy-pack`.

Each rule is a policy of its own name. One that has to hold goes into the pack's configuration:
`{"headless-secondary-cluster": "mandatory"}`.
"""

from otherside import policy_pack

policy_pack()
