"""Stands for the routes of files (uploads)."""

import python_multipart
