"""The static checker: infrastructure code in, disaster recovery findings out."""
