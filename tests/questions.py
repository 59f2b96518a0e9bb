"""What people ask in SQL: the examples of the documents, and a question or two of each view by what they go by."""

import re

from tests.documents import ALL_TEXT

EXAMPLE = re.compile(r'^registry sql (?:--\w+ )?"(SELECT .+)"$', re.MULTILINE)
BY_NUMBER = "WHERE broadcaster = 'andaiafm' AND number = 'F0017'"
QUESTIONS = {
    "a speaker by number": f"SELECT * FROM speakers {BY_NUMBER}",
    "a speaker by number anywhere": "SELECT * FROM speakers WHERE number = 'F0017'",
    "a speaker by key": "SELECT * FROM speakers WHERE speaker_id = 17",
    "a host by key": "SELECT * FROM speakers WHERE speaker_id = 1",
    "the clips of a speaker by key": "SELECT * FROM clips WHERE speaker_id = 17",
    "the clips of a speaker by number": f"SELECT * FROM clips {BY_NUMBER}",
    "the clips of a night": "SELECT * FROM clips WHERE broadcaster = 'andaiafm' AND date = '2000-01-05'",
    "one clip": "SELECT * FROM clips WHERE clip_id = 77",
    "the nights of a speaker by key": "SELECT * FROM speaker_nights WHERE speaker_id = 17",
    "the nights of a speaker by number": f"SELECT * FROM speaker_nights {BY_NUMBER}",
    "who was heard on a night": "SELECT * FROM speaker_nights WHERE broadcaster = 'andaiafm' AND date = '2000-01-05'",
    "all speakers": "SELECT * FROM speakers",
    "the history of a clip": "SELECT * FROM assignment_history WHERE clip_id = 77",
    "what an operation touched": "SELECT speaker_id FROM assignment WHERE 80 IN (from_operation, to_operation)",
    "the last number": "SELECT max(number) FROM speaker_number WHERE broadcaster = 'andaiafm' AND gender = 'F'",
    "whether a folder is an input folder": """
        SELECT EXISTS (SELECT FROM clip WHERE regexp_replace(wav_path, '/[^/]*/[^/]*$', '') = '/elsewhere')""",
}


def examples_of_the_documents() -> list[str]:
    """List the questions that the documents ask, as they stand."""
    return EXAMPLE.findall(ALL_TEXT)
