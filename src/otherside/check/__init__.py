"""Static checker: reads infrastructure code and reports disaster recovery findings."""
