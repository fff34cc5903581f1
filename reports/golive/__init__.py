"""The go-live report: a whole watch for those who decide. Views are pure, `write_golive_report` makes the file."""

from reports.golive.write import write_golive_report

__all__ = ["write_golive_report"]
