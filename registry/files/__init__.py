"""Files of this machine: whose they are, links of others that are not followed, what only its owner may read."""
