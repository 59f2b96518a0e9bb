"""Every error that stops a command; the docstring is the message and says what to do.

RegistryError                 2
├── InputMissing
├── RemoteMissing
├── PairsBroken
├── OutputRefused
│   ├── OutputUnsafe
│   ├── OutputBusy
│   ├── TreeOfAnother
│   ├── TreeOfThePresent
│   └── RemovalUnexplained
├── OutputUnusable
│   └── OutputOfAnother
├── TreeDiskFull
├── NightUnderWay
├── DemoFolderUnfit
├── ModelUnavailable
├── ModelUnnamed
├── SourceUnnamed
├── SettingUnreadable
├── PackagesUnusable
├── RuntimeUnavailable
├── ModelMismatch
│   └── ModelMoved
├── ScopeMismatch
├── QueryFailed
├── QueryTooLong
├── NotText
├── UnknownSpeaker
├── AmbiguousSpeaker
├── UnknownClip
├── UnknownOperation
├── UnknownMoment
├── UnknownBroadcaster
├── CorrectionRefused
├── GroupShrinks
├── UndoRefused
├── PlanOutdated
├── PlanUnreadable
├── PlanUnfit
├── LabelsUnreadable
├── LabelsTooFew
├── RayMissing
├── ClusterUnusable
└── DatabaseError
    ├── DatabaseUnreachable
    ├── DatabaseRefused
    ├── EmbeddedServerFailed
    │   └── HomeRefused
    ├── VectorMissing
    ├── VectorTooOld
    ├── NoSuchRegistry
    ├── NoRegistryHere
    ├── RegistryBegun
    ├── RegistryInUse
    ├── NameUnfit
    ├── EncodingUnfit
    ├── SchemaOpenToOthers
    ├── ReaderUnusable
    ├── LockHeld
    ├── DatabaseDiskFull
    ├── NotWhole
    ├── ViewsInUse
    ├── SchemaTooNew
    └── NotARegistry

One broken clip is no error: it is a `Rejected` value, the run goes on and ends with exit code 1.
"""

import copyreg

LINE_BREAKS = {code: repr(chr(code))[1:-1] for code in (*b"\n\v\f\r", 0x85, 0x2028, 0x2029)}


class RegistryError(Exception):
    """The registry could not do this: {cause}."""

    exit_code = 2
    has_lines = False  # a library or a server says the cause in lines; elsewhere a line break is one of a name

    def __init__(self, **fields: object) -> None:
        template = " ".join((type(self).__doc__ or "").split())
        words = {name: str(value) for name, value in fields.items()}  # a path is what it is called, also by {path!r}
        if "{cause}." in template:
            words["cause"] = words["cause"].rstrip(".")
        message = template.format(**words)
        super().__init__(message if self.has_lines else message.translate(LINE_BREAKS))

    def __reduce__(self) -> tuple[object, ...]:
        """Let it come from another process, where the fields are no longer known, only the message."""
        return copyreg.__newobj__, (type(self), *self.args)  # type: ignore[attr-defined]  # how pickle makes any object


class InputMissing(RegistryError):
    """There is nothing to read at {paths}: no such folder, or it cannot be opened. Name a folder that holds
    groups such as andaiafm_F20201105/.
    """


class RemoteMissing(RegistryError):
    """There is nothing installed that reads {url}: {cause}. For s3:// run pip install '.[s3]', with --ray on every
    node.
    """


class PairsBroken(RegistryError):
    """Refused by --strict, nothing was changed: {count} of the input cannot be used. Mend or remove what is
    listed, or run without --strict. {listed}
    """


class OutputRefused(RegistryError):
    """Cannot export to {path}: {cause}. Name a folder of its own outside every input folder."""


class OutputUnsafe(OutputRefused):
    """Cannot export to {path}, as others may have prepared it: {cause}. No file there was touched. Look at it, then
    {remedy}; or name a folder of your own.
    """


class OutputBusy(OutputRefused):
    """Cannot export to {path}: another export, or a program that holds the file {lock}, is at work there. Nothing was
    touched. Wait until it has ended, then export again.
    """


class OutputUnusable(RegistryError):
    """Cannot export to {path}: {cause}. Mend that, or name another folder; what was exported before stays."""


class OutputOfAnother(OutputUnusable):
    """Cannot export to {path}: {owned} belongs to {owner}, and {us}, who exports now, may not change it. As {owner} or
    root, run {remedy}; or export as {owner}; or name another folder. What was exported before stays.
    """


class TreeOfAnother(OutputRefused):
    """Cannot export to {path}: registry {theirs} wrote the tree there, and this is registry {ours}. Nothing was
    touched. Is REGISTRY_HOME, REGISTRY_DATABASE_URL or --database as it was? Correct it, or name another folder.
    """


class TreeOfThePresent(OutputRefused):
    """Cannot export to {path} as of an earlier moment: the tree there is kept up to the present, and would lose all
    that came since. Nothing was touched. Name a folder of its own for what was then.
    """


class RemovalUnexplained(OutputRefused):
    """Cannot export to {path}: {clips} of the {all_clips} clips there would leave the tree, and no operation of the
    registry's journal took them out; was an older backup restored? Nothing was touched. --plan lists them; with
    --remove they leave the tree, and what has no other copy is set aside in {aside}.
    """


class TreeDiskFull(RegistryError):
    """The disk of {path} is full: {needed} MB are needed to go on, {free} MB are free. Make room, then export again:
    what was written stays, and the next export goes on from there.
    """


class NightUnderWay(RegistryError):
    """Another `registry night` has been at work on this registry for {hours} hours and more, and nothing of this one
    was begun. Does it hang? End it, or wait for it, then run this one again: it takes up what is left.
    """


class DemoFolderUnfit(RegistryError):
    """The demo cannot be laid out in {path}: {cause}. Name another folder: registry demo FOLDER."""


class SpeechUnfit(RegistryError):
    """The labelled speech cannot be used or laid out at {path}: {cause}. Give a folder with a folder of clips for every
    speaker, and a folder without an earlier benchmark: registry benchmark FOLDER OUTDIR.
    """


class ModelUnavailable(RegistryError):
    """The embedding model {model} cannot be loaded: {cause}. Name a local checkpoint or .onnx file, a Hugging Face id
    that this machine has or can download, or leave --model out for the model inside the package.
    """

    has_lines = True


class ModelUnnamed(RegistryError):
    """The embedding model {model} was not loaded: only the registry, or a plan, names it, and a model's file is a
    program that whoever wrote that name would run here. If you trust it, name it yourself, once: --model {model}, or
    REGISTRY_MODELS={model} in the environment.
    """


class SourceUnnamed(RegistryError):
    """Nothing was fetched from {url}: only the registry, or a plan, names it. If it is yours, name it, or a URL above
    it, in the environment: REGISTRY_SOURCES={url}
    """


class SettingUnreadable(RegistryError):
    """The setting {setting} in the environment cannot be read: {cause}. It holds names as a shell takes them: put
    one that has a blank or an apostrophe in it between double quotes.
    """


class PackagesUnusable(RegistryError):
    """The packages torch, torchaudio and pyannote.audio do not work together here: {cause}. Install torch and
    torchaudio of one version and of one build, CPU or CUDA, into a new environment. The default model needs neither
    torchaudio nor pyannote.audio where OpenVINO runs it: leave --runtime out.
    """

    has_lines = True


class RuntimeUnavailable(RegistryError):
    """The runtime {runtime} cannot run the embedding model {model} here: {cause}. Leave --runtime out: the best there
    is for the model is then taken.
    """

    has_lines = True


class ModelMismatch(RegistryError):
    """This registry is built on the embedding model {recorded}, not on {requested}: embeddings of two models
    are never compared. Leave --model out; or move the registry over, with registry reembed and then registry
    switch-model; or start another registry with --database NAME --model {requested}.
    """


class ModelMoved(ModelMismatch):
    """The registry went over to the embedding model {recorded} while clips were being embedded by {requested}:
    these got no speaker. Run the same command again.
    """


class ScopeMismatch(RegistryError):
    """This registry compares voices within {recorded}, not within {requested}. Leave --scope out, or start
    another registry with --database NAME --scope {requested}.
    """


class QueryFailed(RegistryError):
    """The database refused the query: {cause}"""

    has_lines = True


class QueryTooLong(RegistryError):
    """The query was ended after {seconds} seconds. Ask for less, or give it more time with registry sql --timeout."""


class NotText(RegistryError):
    """{text!r} is no text in UTF-8, which all text in the registry is. Correct it, or the encoding of the terminal."""


class UnknownSpeaker(RegistryError):
    """There is no speaker {address!r}. Name one by its number, F0003, or with its broadcaster, andaiafm/F0003;
    registry sql "SELECT * FROM speakers" lists them.
    """


class AmbiguousSpeaker(RegistryError):
    """{address!r} is the number of several speakers. Say which: {labels}."""


class UnknownClip(RegistryError):
    """There is no clip {address!r}: {cause}."""


class UnknownOperation(RegistryError):
    """There is no operation {operation}; registry log lists them."""


class UnknownMoment(RegistryError):
    """There is no moment {moment!r}. Say an operation, 12 (registry log lists them), or a day on which the registry
    was changed, 2020-11-05 or 20201105, in UTC.
    """


class UnknownBroadcaster(RegistryError):
    """There is no broadcaster {broadcaster!r}. The registry knows {known}."""


class CorrectionRefused(RegistryError):
    """Refused, nothing was changed: {cause}."""


class GroupShrinks(RegistryError):
    """The group {group} has {before} clips and would have {after}: is its folder whole? Nothing of it was changed. If
    the others are to go, run registry replace with --remove; --plan shows what would change.
    """


class UndoRefused(RegistryError):
    """Operation {operation} cannot be undone: {cause}."""


class PlanOutdated(RegistryError):
    """The plan no longer holds and nothing was changed: {cause}. Make a new plan."""


class PlanUnreadable(RegistryError):
    """The file {path} is no plan: {cause}."""


class PlanUnfit(RegistryError):
    """The plan was not saved, since `registry apply` would refuse it: {cause}. Run the command without --save."""


class LabelsUnreadable(RegistryError):
    """The labels {path} cannot be read: {cause}. Give a CSV file in UTF-8 whose first line names the columns clip
    and speaker.
    """


class LabelsTooFew(RegistryError):
    """The labels {path} are too few to measure by, nothing was changed: {cause}. Label two clips or more of each of
    some more speakers, of both genders if you can.
    """


class RayMissing(RegistryError):
    """Ray, which works on other machines, is not installed. Run pip install '.[ray]', on every node, or leave --ray
    out.
    """


class ClusterUnusable(RegistryError):
    """The Ray cluster {address} cannot be used: {cause}. Start one with ray start --head and name it by HOST:PORT,
    with the same speaker-registry on every node, and RAY_AUTH_MODE=token where it asks for a token; or leave --ray
    out. What was embedded is kept.
    """

    has_lines = True


class DatabaseError(RegistryError):
    """The database failed: {cause}"""

    has_lines = True


class DatabaseUnreachable(DatabaseError):
    """No database answers at {url}: {cause}. Start it, or correct --database / REGISTRY_DATABASE_URL, or leave
    both out for the embedded database.
    """


class DatabaseRefused(DatabaseError):
    """The database at {url} refused the login: {cause}. Correct the user, password or database name in
    --database / REGISTRY_DATABASE_URL.
    """


class EmbeddedServerFailed(DatabaseError):
    """The embedded PostgreSQL in {home} did not start: {cause}. Its log is {log}. Name another folder with
    REGISTRY_HOME, or any server with --database.
    """


class HomeRefused(EmbeddedServerFailed):
    """Nothing was started in {home}: {cause}."""


class VectorMissing(DatabaseError):
    """The PostgreSQL server at {url} has no pgvector: {cause}. Install pgvector {needed} or newer on the
    server, or use the image of docker-compose.yml.
    """


class VectorTooOld(DatabaseError):
    """pgvector {found} at {url} is too old: versions before {needed} can corrupt vector indexes. Upgrade
    pgvector on the server, then run ALTER EXTENSION vector UPDATE.
    """


class NoSuchRegistry(DatabaseError):
    """The embedded server in {home} has no registry {name!r}; it has: {known}. Correct --database; or begin it, with
    registry ingest INDIR --new.
    """


class NoRegistryHere(DatabaseError):
    """There is no registry in {place}{hint}. If there should be one, correct REGISTRY_HOME or --database, or mount its
    disk; nothing was made or changed. To begin a new one there, add --new to registry ingest or registry night, once.
    """


class RegistryBegun(DatabaseError):
    """There is a registry with clips in {place} already. Leave --new out: it is for the first night only."""


class RegistryInUse(DatabaseError):
    """Another program is connected to the registry {name!r}, so it was not dropped. End that program, or run
    registry database stop, then drop it again.
    """


class NameUnfit(DatabaseError):
    """A registry cannot be named {name!r}: {cause}. Name another in --database."""


class EncodingUnfit(DatabaseError):
    """The database at {url} keeps text in {encoding}, which cannot hold every name and transcript. Make another with
    CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and name it in --database / REGISTRY_DATABASE_URL.
    """


class SchemaOpenToOthers(DatabaseError):
    """Others could have this command run what is theirs, with its rights, in the database at {url}: {cause}. Nothing
    was done. As the owner of the database, or as a superuser: {way_out}; then run the command again.
    """


class ReaderUnusable(DatabaseError):
    """What REGISTRY_READER_URL names cannot be asked: {cause}. Correct it, or leave it out for this command."""


class LockHeld(DatabaseError):
    """The registry has been under change for {minutes} minutes and more, by {holder}. What this command had finished is
    kept. Does the other one hang? End it, or wait for it, then run this command again.
    """


class DatabaseDiskFull(DatabaseError):
    """The disk of the database is full: {cause}. All that was finished is kept. Make room there, then run the same
    command again.
    """


class ViewsInUse(DatabaseError):
    """The views of the registry have to be made anew, and others were made upon them: {detail}. Drop those, run
    registry database upgrade, and make them again.
    """


class NotWhole(DatabaseError):
    """The database at hand is no whole registry: {cause}. A restore may have stopped in the middle: restore the backup
    into an empty database that has the extension vector.
    """


class SchemaTooNew(DatabaseError):
    """The database at {url} is at schema revision {found}, which this version of the registry does not know: a
    newer one wrote it. Upgrade the speaker-registry package.
    """


class NotARegistry(DatabaseError):
    """The database at {url} holds tables of something else ({tables}) and no registry. Name an empty database."""
