provider "aws" { region = "us-east-1" }
provider "aws" {
  alias  = "dr"
  region = "us-west-2"
}
resource "aws_kms_key" "main" { enable_key_rotation = true }
resource "aws_kms_key" "dr" {
  provider = aws.dr
  enable_key_rotation = true
}
ephemeral "random_password" "db" { length = 40 }
resource "aws_rds_global_cluster" "g" {
  global_cluster_identifier = "orders"
  engine            = "aurora-postgresql"
  engine_version    = "16.8"
  storage_encrypted = true
}
resource "aws_rds_cluster" "p" {
  cluster_identifier = "orders-use1"
  global_cluster_identifier = aws_rds_global_cluster.g.id
  engine = "aurora-postgresql"
  engine_version = "16.8"
  master_username = "app"
  master_password_wo = ephemeral.random_password.db.result
  master_password_wo_version = 1
  storage_encrypted = true
  kms_key_id = aws_kms_key.main.arn
  deletion_protection = true
  enabled_cloudwatch_logs_exports = ["postgresql"]
}
resource "aws_rds_cluster_instance" "p" {
  cluster_identifier = aws_rds_cluster.p.id
  engine = "aurora-postgresql"
  instance_class = "db.r6g.large"
}
resource "aws_rds_cluster" "s" {
  provider = aws.dr
  cluster_identifier = "orders-usw2"
  global_cluster_identifier = aws_rds_global_cluster.g.id
  engine = "aurora-postgresql"
  engine_version = "16.8"
  source_region = "us-east-1"
  storage_encrypted = true
  kms_key_id = aws_kms_key.dr.arn
  deletion_protection = true
  enabled_cloudwatch_logs_exports = ["postgresql"]
}
resource "aws_rds_cluster_instance" "s" {
  provider = aws.dr
  cluster_identifier = aws_rds_cluster.s.id
  engine = "aurora-postgresql"
  instance_class = "db.r6g.large"
}
