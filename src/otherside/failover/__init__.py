"""The failover orchestrator: decider, actuator, witness and rotation, as they run in Lambda."""
