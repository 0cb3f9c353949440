"""Runs between fork and the server: binds the new process to its parent's life, writes the pid file, steps down from
root and back from others, and becomes the server. It stands alone (no import of ours) and does the work of a
`preexec_fn`, which is unsafe in a process with threads.

    python -I -S launch.py PID_FILE SUPERVISOR DEATH_SIGNAL NICENESS caller|namespace|UID:GID COMMAND…

SUPERVISOR is `pid:birth` as in `pidfile.py`.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
NAMESPACE_ID = 65534


def main(
    pid_file: str, supervisor: str, death_signal: str, niceness: str, run_as: str, *command: str
) -> None:
    os.umask(0o077)
    _write_pid_file(pid_file, supervisor)
    os.nice(int(niceness))
    _become(run_as)
    if sys.platform == "linux":
        _die_with_parent(int(supervisor.partition(":")[0]), int(death_signal))
    os.execv(command[0], command)  # noqa: S606 - to become the server is what we are for


def _write_pid_file(pid_file: str, supervisor: str) -> None:
    """Before the server exists, so that no server is ever without one."""
    draft = f"{pid_file}.{os.getpid()}"
    with open(draft, "w") as file:
        file.write(f"{os.getpid()}:{_birth()} {supervisor}\n")
    os.replace(draft, pid_file)


def _birth() -> str:
    """The start time as `pidfile.birth_of` tells it; exec does not change it."""
    try:
        with open("/proc/self/stat") as file:
            return file.read().rpartition(")")[2].split()[19]
    except OSError:
        with os.popen(f"LC_ALL=C ps -o lstart= -p {os.getpid()}") as listed:  # noqa: S605 - our own pid
            return listed.read().strip().replace(" ", "_")


def _become(run_as: str) -> None:
    if run_as == "namespace":
        _enter_user_namespace()
    elif run_as != "caller":
        uid, gid = map(int, run_as.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def _enter_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    _check(ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER), "unshare")
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{NAMESPACE_ID} {uid} 1"),
        ("gid_map", f"{NAMESPACE_ID} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def _die_with_parent(parent: int, death_signal: int) -> None:
    """After the change of user, which clears the setting. The signal comes when the *thread* that forked
    us ends; a parent that ended before we asked never sends it, hence the second look."""
    _check(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        sys.exit("the parent ended before the server began")


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
