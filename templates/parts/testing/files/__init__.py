"""Files: what is uploaded can be found, read and deleted again, by those who may."""

from .suites import FilesContentSuite, FilesListingSuite, FilesRefusingSuite, FilesSuite

__all__ = ["FilesContentSuite", "FilesListingSuite", "FilesRefusingSuite", "FilesSuite"]
