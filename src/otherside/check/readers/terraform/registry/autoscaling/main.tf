# terraform-aws-modules/autoscaling/aws: what its inputs become.
variable "create" { default = true }
variable "name" { default = "" }
variable "create_launch_template" { default = true }
variable "launch_template_id" { default = null }
variable "image_id" { default = "" }
variable "instance_type" { default = null }
variable "user_data" { default = null }
variable "key_name" { default = null }
variable "security_groups" { default = [] }
variable "network_interfaces" { default = [] }
variable "iam_instance_profile_arn" { default = null }
variable "iam_instance_profile_name" { default = null }
variable "create_iam_instance_profile" { default = false }
variable "metadata_options" { default = {} }
variable "min_size" { default = null }
variable "max_size" { default = null }
variable "desired_capacity" { default = null }
variable "vpc_zone_identifier" { default = null }
variable "availability_zones" { default = null }
variable "health_check_type" { default = null }
variable "health_check_grace_period" { default = null }
variable "target_group_arns" { default = [] }
variable "traffic_source_attachments" { default = {} }
variable "protect_from_scale_in" { default = false }
variable "min_elb_capacity" { default = null }
variable "create_scaling_policy" { default = true }
variable "scaling_policies" { default = {} }
variable "iam_role_name" { default = null }
variable "iam_role_policies" { default = {} }
variable "tags" { default = {} }

resource "aws_launch_template" "this" {
  count                  = var.create && var.create_launch_template ? 1 : 0
  name                   = var.name
  image_id               = var.image_id
  instance_type          = var.instance_type
  user_data              = var.user_data
  key_name               = var.key_name
  vpc_security_group_ids = length(var.network_interfaces) > 0 ? [] : var.security_groups

  iam_instance_profile {
    arn  = var.create_iam_instance_profile ? aws_iam_instance_profile.this[0].arn : var.iam_instance_profile_arn
    name = var.iam_instance_profile_name
  }
}

resource "aws_iam_instance_profile" "this" {
  count = var.create && var.create_iam_instance_profile ? 1 : 0
  role  = aws_iam_role.this[0].name
}

resource "aws_iam_role" "this" {
  count = var.create && var.create_iam_instance_profile ? 1 : 0
  name  = coalesce(var.iam_role_name, var.name)
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }
    ]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = var.create && var.create_iam_instance_profile ? var.iam_role_policies : {}
  policy_arn = each.value
  role       = aws_iam_role.this[0].name
}

resource "aws_autoscaling_group" "this" {
  count                     = var.create ? 1 : 0
  name                      = var.name
  min_size                  = var.min_size
  max_size                  = var.max_size
  desired_capacity          = var.desired_capacity
  vpc_zone_identifier       = var.vpc_zone_identifier
  availability_zones        = var.availability_zones
  health_check_type         = var.health_check_type
  health_check_grace_period = var.health_check_grace_period
  target_group_arns         = var.target_group_arns
  protect_from_scale_in     = var.protect_from_scale_in
  min_elb_capacity          = var.min_elb_capacity

  launch_template {
    id      = var.create_launch_template ? aws_launch_template.this[0].id : var.launch_template_id
    version = "$Latest"
  }

  dynamic "traffic_source" {
    for_each = var.traffic_source_attachments
    content {
      identifier = traffic_source.value.traffic_source_identifier
      type       = try(traffic_source.value.traffic_source_type, "elbv2")
    }
  }
}

resource "aws_autoscaling_policy" "this" {
  for_each               = var.create && var.create_scaling_policy ? var.scaling_policies : {}
  name                   = try(each.value.name, each.key)
  autoscaling_group_name = aws_autoscaling_group.this[0].name
  policy_type            = try(each.value.policy_type, null)
}

output "autoscaling_group_id" { value = aws_autoscaling_group.this[0].id }
output "autoscaling_group_name" { value = aws_autoscaling_group.this[0].name }
output "autoscaling_group_arn" { value = aws_autoscaling_group.this[0].arn }
output "launch_template_id" { value = aws_launch_template.this[0].id }
