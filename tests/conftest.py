"""Settings of the whole suite."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A busy machine is slow, and that is no fault of what is tested.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# In CI the same examples every time: a run there tells whether the change is right, not whether this was a lucky day.
settings.register_profile("ci", PATIENT, derandomize=True, print_blob=True)
settings.register_profile("here", PATIENT)
settings.load_profile("ci" if os.environ.get("CI") else "here")
