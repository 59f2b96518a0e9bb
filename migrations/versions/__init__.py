"""One file per revision: NNNN_slug.py."""
