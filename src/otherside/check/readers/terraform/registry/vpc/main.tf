# terraform-aws-modules/vpc/aws: what its inputs become.
variable "create_vpc" { default = true }
variable "name" { default = "" }
variable "cidr" { default = "10.0.0.0/16" }
variable "secondary_cidr_blocks" { default = [] }
variable "azs" { default = [] }
variable "public_subnets" { default = [] }
variable "private_subnets" { default = [] }
variable "database_subnets" { default = [] }
variable "intra_subnets" { default = [] }
variable "create_igw" { default = true }
variable "create_database_subnet_group" { default = true }
variable "database_subnet_group_name" { default = null }
variable "create_database_subnet_route_table" { default = false }
variable "create_database_internet_gateway_route" { default = false }
variable "map_public_ip_on_launch" { default = false }
variable "enable_nat_gateway" { default = false }
variable "single_nat_gateway" { default = false }
variable "one_nat_gateway_per_az" { default = false }
variable "enable_dns_hostnames" { default = true }
variable "enable_dns_support" { default = true }
variable "tags" { default = {} }

locals {
  gateways = var.single_nat_gateway ? 1 : var.one_nat_gateway_per_az ? length(var.azs) : max(
    length(var.private_subnets), length(var.database_subnets)
  )
  private_tables = length(var.private_subnets) == 0 ? 0 : local.gateways
}

resource "aws_vpc" "this" {
  count                = var.create_vpc ? 1 : 0
  cidr_block           = var.cidr
  enable_dns_hostnames = var.enable_dns_hostnames
  enable_dns_support   = var.enable_dns_support
  tags                 = merge(var.tags, { Name = var.name })
}

resource "aws_vpc_ipv4_cidr_block_association" "this" {
  count      = length(var.secondary_cidr_blocks)
  vpc_id     = aws_vpc.this[0].id
  cidr_block = var.secondary_cidr_blocks[count.index]
}

resource "aws_internet_gateway" "this" {
  count  = var.create_igw && length(var.public_subnets) > 0 ? 1 : 0
  vpc_id = aws_vpc.this[0].id
}

resource "aws_subnet" "public" {
  count                   = length(var.public_subnets)
  vpc_id                  = aws_vpc.this[0].id
  cidr_block              = var.public_subnets[count.index]
  availability_zone       = var.azs[count.index]
  map_public_ip_on_launch = var.map_public_ip_on_launch
}

resource "aws_subnet" "private" {
  count             = length(var.private_subnets)
  vpc_id            = aws_vpc.this[0].id
  cidr_block        = var.private_subnets[count.index]
  availability_zone = var.azs[count.index]
}

resource "aws_subnet" "database" {
  count             = length(var.database_subnets)
  vpc_id            = aws_vpc.this[0].id
  cidr_block        = var.database_subnets[count.index]
  availability_zone = var.azs[count.index]
}

resource "aws_subnet" "intra" {
  count             = length(var.intra_subnets)
  vpc_id            = aws_vpc.this[0].id
  cidr_block        = var.intra_subnets[count.index]
  availability_zone = var.azs[count.index]
}

resource "aws_db_subnet_group" "database" {
  count      = length(var.database_subnets) > 0 && var.create_database_subnet_group ? 1 : 0
  name       = coalesce(var.database_subnet_group_name, var.name)
  subnet_ids = aws_subnet.database[*].id
}

resource "aws_route_table" "public" {
  count  = length(var.public_subnets) > 0 ? 1 : 0
  vpc_id = aws_vpc.this[0].id
}

resource "aws_route" "public_internet_gateway" {
  count                  = var.create_igw && length(var.public_subnets) > 0 ? 1 : 0
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  count          = length(var.public_subnets)
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_eip" "nat" {
  count  = var.enable_nat_gateway ? local.gateways : 0
  domain = "vpc"
}

resource "aws_nat_gateway" "this" {
  count         = var.enable_nat_gateway ? local.gateways : 0
  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
}

resource "aws_route_table" "private" {
  count  = local.private_tables
  vpc_id = aws_vpc.this[0].id
}

resource "aws_route" "private_nat_gateway" {
  count                  = var.enable_nat_gateway ? local.private_tables : 0
  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[count.index].id
}

resource "aws_route_table_association" "private" {
  count          = length(var.private_subnets)
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[var.single_nat_gateway ? 0 : count.index].id
}

resource "aws_route_table" "database" {
  count  = var.create_database_subnet_route_table && length(var.database_subnets) > 0 ? 1 : 0
  vpc_id = aws_vpc.this[0].id
}

resource "aws_route_table_association" "database" {
  count     = length(var.database_subnets)
  subnet_id = aws_subnet.database[count.index].id
  route_table_id = var.create_database_subnet_route_table ? aws_route_table.database[0].id : (
    length(var.private_subnets) > 0 ? aws_route_table.private[var.single_nat_gateway ? 0 : count.index].id : null
  )
}

output "vpc_id" { value = aws_vpc.this[0].id }
output "vpc_arn" { value = aws_vpc.this[0].arn }
output "vpc_cidr_block" { value = aws_vpc.this[0].cidr_block }
output "vpc_main_route_table_id" { value = aws_vpc.this[0].main_route_table_id }
output "azs" { value = var.azs }
output "name" { value = var.name }
output "igw_id" { value = aws_internet_gateway.this[0].id }
output "public_subnets" { value = aws_subnet.public[*].id }
output "private_subnets" { value = aws_subnet.private[*].id }
output "database_subnets" { value = aws_subnet.database[*].id }
output "intra_subnets" { value = aws_subnet.intra[*].id }
output "public_subnets_cidr_blocks" { value = aws_subnet.public[*].cidr_block }
output "private_subnets_cidr_blocks" { value = aws_subnet.private[*].cidr_block }
output "database_subnets_cidr_blocks" { value = aws_subnet.database[*].cidr_block }
output "database_subnet_group" { value = aws_db_subnet_group.database[0].id }
output "database_subnet_group_name" { value = aws_db_subnet_group.database[0].name }
output "public_route_table_ids" { value = aws_route_table.public[*].id }
output "private_route_table_ids" { value = aws_route_table.private[*].id }
output "database_route_table_ids" {
  value = var.create_database_subnet_route_table ? aws_route_table.database[*].id : aws_route_table.private[*].id
}
output "natgw_ids" { value = aws_nat_gateway.this[*].id }
