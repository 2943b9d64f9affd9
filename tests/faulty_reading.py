"""A reading process that goes wrong, for the tests of what it cannot take along."""

FAULTY = """
import os, signal, sys, time
sys.path[:] = sys.argv[1:]
from brixia_edge.runtime.sources import child, source as radiograph_source
honest = radiograph_source.read_radiograph
def read(path, options):
    if path.name == "segfault.png":
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.name == "exit.png":
        os._exit(7)
    if path.name == "endless.png":
        path.with_name("begun").touch()
        time.sleep(600)
    if path.name == "exhaust.png":
        hoard = bytearray(8 * 2**30)
    if path.name == "fault.png":
        raise KeyError("SECRET^PERSON")
    if path.name == "chatty.png":
        print("to standard output")
        os.write(1, b"and to its descriptor")
    if path.name == "liar.png":
        for pipe in range(3, 20):
            try:
                os.write(pipe, b"garbage" * 99)
            except OSError:
                pass
    return honest(path, options)
radiograph_source.read_radiograph = read
child.main()
"""
"""A reading process that does to a file what its name says."""
