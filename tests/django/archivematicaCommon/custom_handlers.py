import logging
import sys


def get_script_logger(name, root="archivematica", level=logging.INFO):
    """As Archivematica's: the logger of a script, whose records go to its stdout."""
    logger = logging.getLogger(root)
    logger.setLevel(level)
    console = logging.StreamHandler(sys.stdout)
    console.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(console)
    return logging.getLogger(name)
