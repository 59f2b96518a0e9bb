"""Who is who: the rule by which clips and speakers are joined, and how sure each decision is."""
