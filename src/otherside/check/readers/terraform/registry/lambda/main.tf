# terraform-aws-modules/lambda/aws: what its inputs become. Code that the module itself builds from
# `source_path` does not exist before it is applied, so it is a package that nobody can read yet.
variable "create_function" { default = true }
variable "function_name" { default = "" }
variable "handler" { default = "" }
variable "runtime" { default = "" }
variable "package_type" { default = "Zip" }
variable "image_uri" { default = null }
variable "local_existing_package" { default = null }
variable "s3_existing_package" { default = null }
variable "source_path" { default = null }
variable "lambda_role" { default = "" }
variable "create_role" { default = true }
variable "role_name" { default = null }
variable "attach_policy_json" { default = false }
variable "policy_json" { default = null }
variable "timeout" { default = 3 }
variable "memory_size" { default = 128 }
variable "environment_variables" { default = {} }
variable "vpc_subnet_ids" { default = null }
variable "vpc_security_group_ids" { default = null }
variable "kms_key_arn" { default = null }
variable "reserved_concurrent_executions" { default = -1 }
variable "layers" { default = null }
variable "allowed_triggers" { default = {} }
variable "tags" { default = {} }

resource "aws_iam_role" "lambda" {
  count = var.create_function && var.create_role ? 1 : 0
  name  = coalesce(var.role_name, var.function_name)
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }
    ]
  })
}

resource "aws_iam_role_policy" "json" {
  count  = var.create_function && var.create_role && var.attach_policy_json ? 1 : 0
  role   = aws_iam_role.lambda[0].name
  policy = var.policy_json
}

resource "aws_lambda_function" "this" {
  count                          = var.create_function ? 1 : 0
  function_name                  = var.function_name
  handler                        = var.handler
  runtime                        = var.runtime
  package_type                   = var.package_type
  image_uri                      = var.image_uri
  filename                       = coalesce(var.local_existing_package, "built-by-the-module.zip")
  role                           = var.create_role ? aws_iam_role.lambda[0].arn : var.lambda_role
  layers                         = var.layers
  timeout                        = var.timeout
  memory_size                    = var.memory_size
  kms_key_arn                    = var.kms_key_arn
  reserved_concurrent_executions = var.reserved_concurrent_executions

  dynamic "environment" {
    for_each = length(keys(var.environment_variables)) == 0 ? [] : [true]
    content {
      variables = var.environment_variables
    }
  }

  dynamic "vpc_config" {
    for_each = var.vpc_subnet_ids != null ? [true] : []
    content {
      subnet_ids         = var.vpc_subnet_ids
      security_group_ids = var.vpc_security_group_ids
    }
  }
}

resource "aws_lambda_permission" "triggers" {
  for_each      = var.create_function ? var.allowed_triggers : {}
  function_name = aws_lambda_function.this[0].function_name
  action        = try(each.value.action, "lambda:InvokeFunction")
  principal     = try(each.value.principal, "${each.value.service}.amazonaws.com")
  source_arn    = try(each.value.source_arn, null)
}

output "lambda_function_arn" { value = aws_lambda_function.this[0].arn }
output "lambda_function_name" { value = aws_lambda_function.this[0].function_name }
output "lambda_function_invoke_arn" { value = aws_lambda_function.this[0].invoke_arn }
output "lambda_role_arn" { value = aws_iam_role.lambda[0].arn }
output "lambda_role_name" { value = aws_iam_role.lambda[0].name }
