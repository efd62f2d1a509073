"""Workspaces in bulk: the import format read and written.

An import is staged in temporary tables, resolved and compared there, and written in
chunks, each with its story in the log; an export is made by the server line by line.
In both, memory does not grow with the size of the file.
"""

from graph_api.transfer.connecting import Connection, connect
from graph_api.transfer.exporting import export_workspace
from graph_api.transfer.importing import import_files
from graph_api.transfer.report import Counts, ImportRefused, Progress, Refusal, Summary

__all__ = [
    "Connection",
    "Counts",
    "ImportRefused",
    "Progress",
    "Refusal",
    "Summary",
    "connect",
    "export_workspace",
    "import_files",
]
