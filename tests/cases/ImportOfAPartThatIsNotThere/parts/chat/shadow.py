from .sun import Sun
