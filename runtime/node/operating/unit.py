"""The systemd unit: started at boot, watched, and allowed no more than it needs."""

import sys
from pathlib import Path

_UNIT = """\
[Unit]
Description=brixia-edge node (research use only)
Documentation=man:systemd.unit(5)
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
ExecStart={python} -m brixia_edge.runtime node run --config {configuration}
Restart=always
RestartSec=2
WatchdogSec=60
TimeoutStopSec=40
KillMode=mixed
OOMPolicy=continue
DynamicUser=yes
StateDirectory=brixia-edge
StateDirectoryMode=0700
UMask=0077
LimitNOFILE=4096
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
PrivateTmp=yes
PrivateUsers=yes
{devices}
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @obsolete

[Install]
WantedBy=multi-user.target
"""


def systemd_unit(configuration: Path, gpu: bool = False) -> str:
    """Write the unit for a configuration.

    Parameters
    ----------
    configuration
        The ``node.toml``.
    gpu
        Whether the network runs on a GPU, whose devices the node must see then.
    """
    # A GPU's devices have no fixed names, so that none can be listed.
    devices = "PrivateDevices=no" if gpu else "PrivateDevices=yes"
    return _UNIT.format(
        python=sys.executable, configuration=configuration.absolute(), devices=devices
    )
