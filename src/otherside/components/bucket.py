"""A private, encrypted bucket."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from otherside.components.iam_policies import Statement, deny_plaintext, document
from otherside.components.sites import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateBucketArgs:
    """One bucket in one Region."""

    site: Site
    name: pulumi.Input[str]
    key_arn: pulumi.Input[str] | None
    """`None` encrypts with S3's own key, which load balancers require for their logs."""
    expire_days: int | None = None
    protect: bool = True
    writers: Sequence[Statement] = ()
    """Statements of the bucket's policy, in addition to the denial of requests without TLS."""


class PrivateBucket(pulumi.ComponentResource):
    """A private, versioned, encrypted bucket that denies requests without TLS."""

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    versioning: pulumi.Resource
    policy: pulumi.Resource

    def __init__(
        self, name: str, args: PrivateBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the bucket and everything that makes it private."""
        super().__init__("otherside:index:PrivateBucket", name, None, opts)
        here = args.site.options(self)
        bucket = aws.s3.Bucket(
            name,
            bucket=args.name,
            force_destroy=not args.protect,  # one command deletes a trial with its data
            opts=args.site.options(self, pulumi.ResourceOptions(protect=args.protect)),
        )
        self.name, self.arn = bucket.bucket, bucket.arn
        self.versioning = aws.s3.BucketVersioning(
            name,
            bucket=bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            opts=here,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="aws:kms" if args.key_arn is not None else "AES256",
                        kms_master_key_id=args.key_arn,
                    ),
                    bucket_key_enabled=args.key_arn is not None,
                )
            ],
            opts=here,
        )
        private = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=here,
        )
        aws.s3.BucketOwnershipControls(
            name,
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=here,
        )
        everything = [bucket.arn, pulumi.Output.concat(bucket.arn, "/*")]
        self.policy = aws.s3.BucketPolicy(
            name,
            bucket=bucket.bucket,
            policy=document(deny_plaintext(everything, "s3:*"), *args.writers),
            opts=args.site.options(self, pulumi.ResourceOptions(depends_on=[private])),
        )
        self._lifecycle(name, args)
        self.register_outputs({"arn": self.arn})

    def _lifecycle(self, name: str, args: PrivateBucketArgs) -> None:
        expiration = aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(days=args.expire_days)
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=self.name,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="tidy",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    expiration=expiration if args.expire_days else None,
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=30
                    ),
                    abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=7
                    ),
                )
            ],
            opts=args.site.options(self, pulumi.ResourceOptions(depends_on=[self.versioning])),
        )
