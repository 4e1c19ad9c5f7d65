#!/bin/bash
# Boots one instance of @@APPLICATION@@ in @@REGION@@. Everything it fetches comes from this Region:
# the application from a bucket here, and packages from Amazon Linux's own repository, which is S3
# here too, so that an instance can start while the other Region and the internet cannot be reached.
set -euo pipefail
exec >>/var/log/otherside-boot.log 2>&1

install -d -m 0755 /opt/otherside/app /opt/otherside/static /etc/otherside

cat >@@ENVIRONMENT_FILE@@ <<'SETTINGS'
@@SETTINGS@@
SETTINGS

# The logs leave by a unit of their own, which nothing here waits for: an instance serves without
# them. It is started last, or as soon as this script fails, because packages are installed one at
# a time. A file a kind: of a pattern the agent follows the newest file alone.
cat >/opt/otherside/agent.json <<'AGENT'
{
  "logs": {
    "logs_collected": {
      "files": {
        "collect_list": [
          {
            "file_path": "/var/log/otherside-boot.log",
            "log_group_name": "@@LOG_GROUP@@",
            "log_stream_name": "{instance_id}/boot"
          },
          {
            "file_path": "/var/log/otherside-app.log",
            "log_group_name": "@@LOG_GROUP@@",
            "log_stream_name": "{instance_id}/app"
          },
          {
            "file_path": "/var/log/otherside-lease-agent.log",
            "log_group_name": "@@LOG_GROUP@@",
            "log_stream_name": "{instance_id}/lease-agent"
          }
        ]
      }
    }
  }
}
AGENT
cat >/opt/otherside/ship-logs.sh <<'SHIP'
#!/bin/bash
set -euo pipefail
dnf install --assumeyes amazon-cloudwatch-agent
/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl \
  -a fetch-config -m ec2 -s -c file:/opt/otherside/agent.json
SHIP
chmod 0755 /opt/otherside/ship-logs.sh
cat >/etc/systemd/system/otherside-logs.service <<'UNIT'
[Unit]
Description=@@APPLICATION@@: logs to CloudWatch
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/opt/otherside/ship-logs.sh
TimeoutStartSec=300
Restart=on-failure
RestartSec=30

[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
trap 'systemctl enable --now --no-block otherside-logs.service || true' EXIT

dnf install --assumeyes python3-psycopg2
aws s3 cp 's3://@@BUCKET@@/@@KEY@@' /opt/otherside/app.zip --region @@REGION@@
python3 -m zipfile --extract /opt/otherside/app.zip /opt/otherside/app

# The load balancer asks for this file. Whole or not at all: written aside, then moved.
echo OK >/opt/otherside/static/.health
mkdir -p "$(dirname '/opt/otherside/static@@HEALTH_PATH@@')"
mv /opt/otherside/static/.health '/opt/otherside/static@@HEALTH_PATH@@'

id otherside >/dev/null 2>&1 || useradd --system --home-dir /opt/otherside otherside

cat >/etc/systemd/system/otherside-app.service <<'UNIT'
[Unit]
Description=@@APPLICATION@@
After=network-online.target
Wants=network-online.target

[Service]
User=otherside
EnvironmentFile=@@ENVIRONMENT_FILE@@
WorkingDirectory=/opt/otherside/app
ExecStart=/usr/bin/python3 /opt/otherside/app/app.py
StandardOutput=append:/var/log/otherside-app.log
StandardError=append:/var/log/otherside-app.log
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
UNIT

# What keeps the right to acknowledge writes and says how this side is, in a process of its own: an
# application that is broken must not look like a Region that is.
cat >/etc/systemd/system/otherside-lease-agent.service <<'UNIT'
[Unit]
Description=@@APPLICATION@@: lease, heartbeat and pulse
After=network-online.target
Wants=network-online.target
ConditionPathExists=/opt/otherside/app/lease_agent.py

[Service]
# A keeper whose loops stand still is started anew: its instance would go on serving without one.
Type=notify
NotifyAccess=main
WatchdogSec=60
WatchdogSignal=SIGKILL
TimeoutStartSec=infinity
User=otherside
EnvironmentFile=@@ENVIRONMENT_FILE@@
RuntimeDirectory=otherside
RuntimeDirectoryPreserve=yes
WorkingDirectory=/opt/otherside/app
ExecStart=/usr/bin/python3 /opt/otherside/app/lease_agent.py
StandardOutput=append:/var/log/otherside-lease-agent.log
StandardError=append:/var/log/otherside-lease-agent.log
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
UNIT

systemctl daemon-reload
systemctl enable --now otherside-lease-agent.service otherside-app.service
