"""The failover orchestrator: decider, actuator, witness and rotation as Lambda functions."""
