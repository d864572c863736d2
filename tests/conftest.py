"""What holds for all tests."""

from hypothesis import settings

# The same examples on every run, however busy the machine: a failure is never a matter of luck.
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("repeatable")
