"""The one server bootstrap: interceptors, health, limits, drain."""

from shared.server.server import LikenessServer, run_server
from shared.server.service import Service, ServiceLimits

__all__ = ["LikenessServer", "Service", "ServiceLimits", "run_server"]
