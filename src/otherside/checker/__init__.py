"""Find disaster-recovery defects in Pulumi, Terraform and CloudFormation, before the disaster."""
