# terraform-aws-modules/rds-aurora/aws: what its inputs become. Version 10 has other names for the
# password and the instances' class; whichever is given counts.
variable "create" { default = true }
variable "name" { default = "" }
variable "engine" { default = null }
variable "engine_mode" { default = "provisioned" }
variable "engine_version" { default = null }
variable "instance_class" { default = null }
variable "cluster_instance_class" { default = null }
variable "instances" { default = {} }
variable "publicly_accessible" { default = null }
variable "is_primary_cluster" { default = true }
variable "global_cluster_identifier" { default = null }
variable "replication_source_identifier" { default = null }
variable "source_region" { default = null }
variable "database_name" { default = null }
variable "master_username" { default = null }
variable "master_password" { default = null }
variable "master_password_wo" { default = null }
variable "manage_master_user_password" { default = true }
variable "kms_key_id" { default = null }
variable "storage_encrypted" { default = true }
variable "backup_retention_period" { default = null }
variable "deletion_protection" { default = null }
variable "skip_final_snapshot" { default = false }
variable "snapshot_identifier" { default = null }
variable "vpc_id" { default = "" }
variable "subnets" { default = [] }
variable "create_db_subnet_group" { default = false }
variable "db_subnet_group_name" { default = "" }
variable "vpc_security_group_ids" { default = [] }
variable "create_security_group" { default = true }
variable "enable_global_write_forwarding" { default = null }
variable "iam_database_authentication_enabled" { default = null }
variable "enabled_cloudwatch_logs_exports" { default = [] }
variable "create_db_cluster_parameter_group" { default = false }
variable "db_cluster_parameter_group_name" { default = null }
variable "db_cluster_parameter_group_family" { default = "" }
variable "db_cluster_parameter_group_parameters" { default = [] }
variable "cluster_parameter_group" { default = null }
variable "cluster_parameter_group_name" { default = null }
variable "security_group_rules" { default = {} }
variable "security_group_ingress_rules" { default = {} }
variable "serverlessv2_scaling_configuration" { default = null }
variable "port" { default = null }
variable "tags" { default = {} }

locals {
  managed  = var.manage_master_user_password && var.global_cluster_identifier == null
  password = coalesce(var.master_password, var.master_password_wo)
  group    = var.create_db_subnet_group ? aws_db_subnet_group.this[0].name : var.db_subnet_group_name
}

resource "aws_db_subnet_group" "this" {
  count      = var.create && var.create_db_subnet_group ? 1 : 0
  name       = coalesce(var.db_subnet_group_name, var.name)
  subnet_ids = var.subnets
}

resource "aws_security_group" "this" {
  count  = var.create && var.create_security_group ? 1 : 0
  vpc_id = var.vpc_id
}

resource "aws_security_group_rule" "this" {
  for_each                 = var.create_security_group ? var.security_group_rules : {}
  security_group_id        = aws_security_group.this[0].id
  type                     = try(each.value.type, "ingress")
  from_port                = try(each.value.from_port, var.port)
  to_port                  = try(each.value.to_port, var.port)
  protocol                 = try(each.value.protocol, "tcp")
  cidr_blocks              = try(each.value.cidr_blocks, null)
  source_security_group_id = try(each.value.source_security_group_id, null)
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = var.create_security_group ? var.security_group_ingress_rules : {}
  security_group_id            = aws_security_group.this[0].id
  ip_protocol                  = try(each.value.ip_protocol, "tcp")
  from_port                    = try(each.value.from_port, var.port)
  to_port                      = try(each.value.to_port, var.port)
  cidr_ipv4                    = try(each.value.cidr_ipv4, null)
  referenced_security_group_id = try(each.value.referenced_security_group_id, null)
}

resource "aws_rds_cluster_parameter_group" "this" {
  count  = var.create_db_cluster_parameter_group || var.cluster_parameter_group != null ? 1 : 0
  name   = coalesce(try(var.cluster_parameter_group.name, null), var.db_cluster_parameter_group_name, var.name)
  family = try(var.cluster_parameter_group.family, var.db_cluster_parameter_group_family)

  dynamic "parameter" {
    for_each = try(var.cluster_parameter_group.parameters, var.db_cluster_parameter_group_parameters)
    content {
      name         = parameter.value.name
      value        = parameter.value.value
      apply_method = try(parameter.value.apply_method, null)
    }
  }
}

resource "aws_rds_cluster" "this" {
  count                               = var.create ? 1 : 0
  cluster_identifier                  = var.name
  engine                              = var.engine
  engine_mode                         = var.engine_mode
  engine_version                      = var.engine_version
  global_cluster_identifier           = var.global_cluster_identifier
  replication_source_identifier       = var.replication_source_identifier
  source_region                       = var.source_region
  database_name                       = var.is_primary_cluster ? var.database_name : null
  master_username                     = var.is_primary_cluster ? var.master_username : null
  master_password                     = var.is_primary_cluster && !local.managed ? local.password : null
  manage_master_user_password         = local.managed ? true : null
  kms_key_id                          = var.kms_key_id
  storage_encrypted                   = var.storage_encrypted
  backup_retention_period             = var.backup_retention_period
  deletion_protection                 = var.deletion_protection
  skip_final_snapshot                 = var.skip_final_snapshot
  snapshot_identifier                 = var.snapshot_identifier
  db_subnet_group_name                = local.group
  vpc_security_group_ids              = concat(aws_security_group.this[*].id, var.vpc_security_group_ids)
  enable_global_write_forwarding      = var.enable_global_write_forwarding
  iam_database_authentication_enabled = var.iam_database_authentication_enabled
  port                                = var.port
  enabled_cloudwatch_logs_exports     = var.enabled_cloudwatch_logs_exports
  db_cluster_parameter_group_name = (
    var.create_db_cluster_parameter_group || var.cluster_parameter_group != null
    ? aws_rds_cluster_parameter_group.this[0].id
    : try(coalesce(var.cluster_parameter_group_name, var.db_cluster_parameter_group_name), null)
  )
  tags                                = var.tags

  lifecycle {
    ignore_changes = [replication_source_identifier, global_cluster_identifier, snapshot_identifier]
  }
}

resource "aws_rds_cluster_instance" "this" {
  for_each             = var.create && var.engine_mode != "serverless" ? var.instances : {}
  cluster_identifier   = aws_rds_cluster.this[0].id
  identifier           = "${var.name}-${each.key}"
  engine               = var.engine
  engine_version       = var.engine_version
  instance_class       = try(each.value.instance_class, coalesce(var.cluster_instance_class, var.instance_class))
  availability_zone    = try(each.value.availability_zone, null)
  db_subnet_group_name = local.group
  publicly_accessible  = try(each.value.publicly_accessible, var.publicly_accessible)
}

output "cluster_id" { value = aws_rds_cluster.this[0].id }
output "cluster_arn" { value = aws_rds_cluster.this[0].arn }
output "cluster_endpoint" { value = aws_rds_cluster.this[0].endpoint }
output "cluster_reader_endpoint" { value = aws_rds_cluster.this[0].reader_endpoint }
output "cluster_resource_id" { value = aws_rds_cluster.this[0].cluster_resource_id }
output "cluster_members" { value = aws_rds_cluster.this[0].cluster_members }
output "cluster_port" { value = aws_rds_cluster.this[0].port }
output "cluster_master_username" { value = aws_rds_cluster.this[0].master_username }
output "cluster_master_user_secret" { value = aws_rds_cluster.this[0].master_user_secret }
output "security_group_id" { value = aws_security_group.this[0].id }
output "db_subnet_group_name" { value = local.group }
