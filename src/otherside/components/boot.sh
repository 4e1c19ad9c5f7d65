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

# A separate unit ships the logs, and nothing here waits for it: an instance serves without them.
# It is started last, or as soon as this script fails, because packages are installed one at a
# time. There is one entry per log: given a pattern, the agent follows only the newest file.
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

# The load balancer requests this file. It is written aside and then moved, so it is never partial.
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

# The lease agent keeps the right to acknowledge writes and reports this side's health. It is a
# separate process, because a broken application must not look like a broken Region.
cat >/etc/systemd/system/otherside-lease-agent.service <<'UNIT'
[Unit]
Description=@@APPLICATION@@: lease, heartbeat and pulse
After=network-online.target
Wants=network-online.target
ConditionPathExists=/opt/otherside/app/lease_agent.py

[Service]
# Restart an agent whose loops hang; otherwise its instance would keep serving without one.
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
