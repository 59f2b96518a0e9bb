"""What comes in: the folders of groups, files near and far, and what is heard in one."""
