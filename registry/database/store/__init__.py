"""All SQL, as functions with names: each takes a connection, is one set-based step, and commits nothing.

Words of this room, as its modules use them:

- Recording: a row of the table `audio`, known by its audio hash, which is the SHA-256 of the decoded samples with rate
  and channels. Several clips may carry one recording.
- To hold: most tables say what held when. A row holds from the operation `from_operation` on, until `to_operation`. A
  row without `to_operation` holds now. To open a row is to insert it; to close a row is to set its `to_operation`.
- Present: a clip is present while it has a speaker, which means while one of its assignments holds now. A clip that was
  withdrawn, or whose ingest was undone, is stored and not present.
- The deciding model: the embedding model by which it is decided who is who. Other models may be kept up beside it.
- To judge a speaker: to compute the certainty of the speaker's clips, which is P(same voice) of a clip and the rest of
  its speaker.
"""
