"""What people decide, and how anything that was done is taken back: every verb is one operation."""
