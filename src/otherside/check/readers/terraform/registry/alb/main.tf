# terraform-aws-modules/alb/aws: what its inputs become.
variable "create" { default = true }
variable "name" { default = null }
variable "load_balancer_type" { default = "application" }
variable "internal" { default = null }
variable "vpc_id" { default = null }
variable "subnets" { default = null }
variable "security_groups" { default = [] }
variable "create_security_group" { default = true }
variable "security_group_ingress_rules" { default = {} }
variable "security_group_egress_rules" { default = {} }
variable "enable_cross_zone_load_balancing" { default = true }
variable "enable_deletion_protection" { default = true }
variable "default_port" { default = 80 }
variable "default_protocol" { default = "HTTP" }
variable "target_groups" { default = {} }
variable "listeners" { default = {} }
variable "route53_records" { default = {} }
variable "tags" { default = {} }

resource "aws_lb" "this" {
  count                            = var.create ? 1 : 0
  name                             = var.name
  load_balancer_type               = var.load_balancer_type
  internal                         = var.internal
  subnets                          = var.subnets
  security_groups                  = concat(aws_security_group.this[*].id, var.security_groups)
  enable_cross_zone_load_balancing = var.enable_cross_zone_load_balancing
  enable_deletion_protection       = var.enable_deletion_protection
  tags                             = var.tags
}

resource "aws_lb_target_group" "this" {
  for_each    = var.create ? var.target_groups : {}
  name        = try(each.value.name, null)
  name_prefix = try(each.value.name_prefix, null)
  vpc_id      = try(each.value.vpc_id, var.vpc_id)
  port        = try(each.value.port, try(each.value.backend_port, var.default_port))
  protocol    = try(each.value.protocol, try(each.value.backend_protocol, var.default_protocol))
  target_type = try(each.value.target_type, null)

  dynamic "health_check" {
    for_each = try([each.value.health_check], [])
    content {
      enabled             = try(health_check.value.enabled, null)
      path                = try(health_check.value.path, null)
      port                = try(health_check.value.port, null)
      protocol            = try(health_check.value.protocol, null)
      matcher             = try(health_check.value.matcher, null)
      interval            = try(health_check.value.interval, null)
      timeout             = try(health_check.value.timeout, null)
      healthy_threshold   = try(health_check.value.healthy_threshold, null)
      unhealthy_threshold = try(health_check.value.unhealthy_threshold, null)
    }
  }
}

resource "aws_lb_listener" "this" {
  for_each          = var.create ? var.listeners : {}
  load_balancer_arn = aws_lb.this[0].arn
  port              = try(each.value.port, var.default_port)
  protocol          = try(each.value.protocol, var.default_protocol)
  ssl_policy        = try(each.value.ssl_policy, null)
  certificate_arn   = try(each.value.certificate_arn, null)

  dynamic "default_action" {
    for_each = try([each.value.forward], [])
    content {
      type = "forward"
      target_group_arn = try(
        default_action.value.target_group_arn,
        aws_lb_target_group.this[default_action.value.target_group_key].arn,
      )
    }
  }

  dynamic "default_action" {
    for_each = try([each.value.redirect], [])
    content {
      type = "redirect"
      redirect {
        port        = try(default_action.value.port, null)
        protocol    = try(default_action.value.protocol, null)
        status_code = default_action.value.status_code
      }
    }
  }
}

resource "aws_security_group" "this" {
  count  = var.create && var.create_security_group ? 1 : 0
  vpc_id = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = var.create_security_group ? var.security_group_ingress_rules : {}
  security_group_id            = aws_security_group.this[0].id
  ip_protocol                  = try(each.value.ip_protocol, "tcp")
  from_port                    = try(each.value.from_port, null)
  to_port                      = try(each.value.to_port, each.value.from_port, null)
  cidr_ipv4                    = try(each.value.cidr_ipv4, null)
  referenced_security_group_id = try(each.value.referenced_security_group_id, null)
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each                     = var.create_security_group ? var.security_group_egress_rules : {}
  security_group_id            = aws_security_group.this[0].id
  ip_protocol                  = try(each.value.ip_protocol, "tcp")
  from_port                    = try(each.value.from_port, null)
  to_port                      = try(each.value.to_port, each.value.from_port, null)
  cidr_ipv4                    = try(each.value.cidr_ipv4, null)
  referenced_security_group_id = try(each.value.referenced_security_group_id, null)
}

resource "aws_route53_record" "this" {
  for_each = var.create ? var.route53_records : {}
  zone_id  = each.value.zone_id
  name     = try(each.value.name, each.key)
  type     = each.value.type
  alias {
    name                   = aws_lb.this[0].dns_name
    zone_id                = aws_lb.this[0].zone_id
    evaluate_target_health = try(each.value.evaluate_target_health, true)
  }
}

output "id" { value = aws_lb.this[0].id }
output "arn" { value = aws_lb.this[0].arn }
output "arn_suffix" { value = aws_lb.this[0].arn_suffix }
output "dns_name" { value = aws_lb.this[0].dns_name }
output "zone_id" { value = aws_lb.this[0].zone_id }
output "listeners" { value = aws_lb_listener.this }
output "target_groups" { value = aws_lb_target_group.this }
output "security_group_id" { value = aws_security_group.this[0].id }
