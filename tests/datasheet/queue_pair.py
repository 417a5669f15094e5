"""The host's side of one queue pair, in the order of accel/README.md: regions, entries, doorbells, memory order.

How Python gets by without atomic operations:

* One store. An index must reach shared memory in one store of 32 bits, never byte by byte, or the device could read half of an old
  and half of a new one. A memoryview cast to "I" or "H" does that: CPython copies an element of known size, which compilers turn
  into one instruction. Slices and struct.pack_into promise nothing; they fill entries only, which nobody reads until the index says so.
* Acquire and release. x86-64 shows loads in program order and stores in program order, and CPython's interpreter moves neither.
  Other processors need real acquire loads and release stores, which Python lacks; so this client refuses to run there.
* Full barrier. Even x86-64 lets a load overtake an earlier store. Two places store and then load (ring, then "device asleep";
  "host asleep", then the completion). full_barrier() stands between.
* Exchange. Python has none, so "device asleep" is left to the device, and the ioeventfd is signalled whenever it reads 1.
"""

import os
import platform
import select
import struct
import threading
from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from vfio_user import Connection, ProtocolError, expect


# Regions

class RegionNumber(IntEnum):
    MMIO = 0
    DUS = 1
    CONTROL = 2
    DOORBELLS = 3


REGION_SIZES = {RegionNumber.MMIO: 0x2000, RegionNumber.DUS: 86016, RegionNumber.CONTROL: 0x1000, RegionNumber.DOORBELLS: 0x1000}

STOP_RECEIVING = 86008
STOP_SENDING = 86012


class Register(IntEnum):
    MAGIC = 0x00
    VERSION = 0x04
    CAPABILITIES = 0x08
    QUEUE_MANAGER_VERSION = 0x0C
    ALGORITHMS = 0x10
    KEY_SIZES = 0x14
    MAXIMAL_DEPTH = 0x18
    DEPTH = 0x1C
    QUEUE_TYPE = 0x20
    QUEUE_NUMBER = 0x24
    COMMAND = 0x28
    STATE = 0x2C
    IGNORED_DOORBELLS = 0x30
    ENGINES = 0x34
    ENGINE_LANES = 0x38


MAGIC = 0x44505257
ENGINE_NAME_OFFSET = 0x80
ENGINE_NAME_SIZE = 128


class QueueCommand(IntEnum):
    START = 1
    STOP = 2


class State(IntEnum):
    DEAD = 0
    INITIAL = 1
    STARTED = 2


class Control:
    """Region 2, by message."""

    def __init__(self, connection: Connection):
        self._connection = connection

    def read(self, register: Register) -> int:
        return int.from_bytes(self._connection.region_read(RegionNumber.CONTROL, register, 4), "little")

    def write(self, register: Register, value: int) -> None:
        self._connection.region_write(RegionNumber.CONTROL, register, value.to_bytes(4, "little"))

    def engine_name(self) -> str:
        name = self._connection.region_read(RegionNumber.CONTROL, ENGINE_NAME_OFFSET, ENGINE_NAME_SIZE)
        return name.rstrip(b"\0").decode()


# Entries

DONE_BY_HOST = 1
DONE_BY_DEVICE = 3


@dataclass(frozen=True)
class Submission:
    """One SQE as the host writes it; algorithm, key_bytes and done are plain numbers, so that wrong ones can be tried."""

    LAYOUT = struct.Struct("<IB3xQQQQ24x")  # control word, key size, key, input, output, tag
    SIZE = LAYOUT.size

    algorithm: int
    key_bytes: int
    key: int
    input: int
    output: int
    tag: int
    done: int = DONE_BY_HOST

    def pack(self) -> bytes:
        control = self.algorithm | self.done << 30
        return self.LAYOUT.pack(control, self.key_bytes // 8 - 1, self.key, self.input, self.output, self.tag)


class Error(IntEnum):
    NONE = 0
    NOT_OFFERED = 1
    ADDRESS = 2
    KEY = 3
    INPUT_NOT_BELOW_MODULUS = 4
    ENGINE = 5


@dataclass(frozen=True)
class Result:
    """What the device wrote into the control word of an SQE, under the tag of its submission."""

    tag: int
    error: int
    second_error: int

    @property
    def output_was_written(self) -> bool:
        return self.error == 0 and self.second_error == 0


@dataclass(frozen=True)
class Completion:
    """One CQE."""

    LAYOUT = struct.Struct("<QHHHH")  # zero, index, queue number, zero, phase in bit 0
    SIZE = LAYOUT.size
    PHASE_OFFSET = 14

    index: int
    queue_number: int

    @classmethod
    def unpack(cls, data: bytes) -> "Completion":
        zeros, index, queue_number, more_zeros, _ = cls.LAYOUT.unpack(data)
        expect("zero fields of a CQE", (zeros, more_zeros), (0, 0))
        return cls(index, queue_number)


# Doorbells

class SharedDoorbells:
    """Region 3: four words in memory, and the eventfd that wakes the device."""

    SQ_TAIL = 0x000 // 4
    CQ_HEAD = 0x040 // 4
    DEVICE_ASLEEP = 0x080 // 4
    HOST_ASLEEP = 0x0C0 // 4

    def __init__(self, connection: Connection):
        self._mapping = connection.map_region(RegionNumber.DOORBELLS)
        self._words = memoryview(self._mapping).cast("I")
        self._ioeventfd = connection.region_io_eventfd(RegionNumber.DOORBELLS)

    def close(self) -> None:
        self._words.release()
        self._mapping.close()
        os.close(self._ioeventfd)

    def ring(self, tail: int) -> None:
        self._words[self.SQ_TAIL] = tail  # release: the entries are visible before it
        full_barrier()
        if self._words[self.DEVICE_ASLEEP] == 1:
            os.eventfd_write(self._ioeventfd, 1)

    def return_head(self, head: int) -> None:
        self._words[self.CQ_HEAD] = head  # release: the entries were read before it

    def ask_for_interrupt(self, head: int) -> None:
        self._words[self.HOST_ASLEEP] = 1
        full_barrier()

    def decline_interrupt(self, head: int) -> None:
        self._words[self.HOST_ASLEEP] = 0


class TrappedDoorbells:
    """Region 0: HPRE's doorbell word, a message for each ring. Needs nothing mapped."""

    OFFSET = 0x1000
    SQ_DOORBELL = 0
    CQ_DOORBELL = 1

    def __init__(self, connection: Connection, queue_number: int):
        self._connection = connection
        self._queue_number = queue_number

    def close(self) -> None:
        pass  # nothing of its own

    @classmethod
    def word(cls, queue_number: int, command: int, index: int, interrupt: bool = False) -> bytes:
        return (queue_number | command << 12 | index << 32 | interrupt << 48).to_bytes(8, "little")

    def ring(self, tail: int) -> None:
        word = self.word(self._queue_number, self.SQ_DOORBELL, tail)
        self._connection.region_write_without_reply(RegionNumber.MMIO, self.OFFSET, word)

    def return_head(self, head: int) -> None:
        self._ring_completion_queue(head, interrupt=False)

    def ask_for_interrupt(self, head: int) -> None:
        """When the reply has come, "host asleep" is set: the reply is the barrier."""
        self._ring_completion_queue(head, interrupt=True)

    def decline_interrupt(self, head: int) -> None:
        self._ring_completion_queue(head, interrupt=False)

    def _ring_completion_queue(self, head: int, interrupt: bool) -> None:
        word = self.word(self._queue_number, self.CQ_DOORBELL, head, interrupt)
        self._connection.region_write(RegionNumber.MMIO, self.OFFSET, word)


# Memory order

if platform.machine() != "x86_64":
    raise SystemExit(f"this machine is {platform.machine()}; Python gives the memory order that the device needs on x86_64 only")

_barrier = threading.Lock()


def full_barrier() -> None:
    """Taking a free lock is a locked instruction, which on x86-64 no load overtakes."""
    with _barrier:
        pass


INTERRUPT_SECONDS_MAX = 30


class QueuePair:
    """Posts submissions, rings, reaps results in the order of the submissions, and sleeps until there are some."""

    def __init__(self, connection: Connection, doorbells: SharedDoorbells | TrappedDoorbells):
        self._connection = connection
        self._doorbells = doorbells
        self.control = Control(connection)
        self._number = self.control.read(Register.QUEUE_NUMBER)

        self._mapping = connection.map_region(RegionNumber.DUS)
        self._bytes = memoryview(self._mapping)
        self._words = self._bytes.cast("I")
        self._halfwords = self._bytes.cast("H")

        self._interrupt = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        connection.set_interrupt(self._interrupt)

        self.trips_submitting = self.trips_completing = 0  # how often SQ tail and CQ head became 0 again
        self.times_full = self.times_slept = 0

    def close(self) -> None:
        """Frees the queue pair on both sides."""
        self._connection.close()
        self._doorbells.close()
        for view in (self._halfwords, self._words, self._bytes):
            view.release()
        self._mapping.close()
        os.close(self._interrupt)

    def start(self, depth: int) -> None:
        self.control.write(Register.DEPTH, depth)
        expect("depth", self.control.read(Register.DEPTH), depth)
        self.control.write(Register.COMMAND, QueueCommand.START)
        expect("state", self.control.read(Register.STATE), State.STARTED)
        expect("stop words after start", self.stop_words, (0, 0))
        self.depth = depth
        self._tail = 0  # next SQE to write
        self._head = 0  # next CQE to read
        self._phase = 1
        self._in_flight: deque[tuple[int, bytes]] = deque()  # index and bytes of each SQE, oldest first

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    @property
    def is_full(self) -> bool:
        return self.in_flight == self.depth - 1

    @property
    def stop_words(self) -> tuple[int, int]:
        return self._words[STOP_RECEIVING // 4], self._words[STOP_SENDING // 4]

    def post(self, submission: Submission) -> None:
        """Writes one SQE; the device learns of it by ring(). The queue must not be full."""
        assert not self.is_full
        entry = submission.pack()
        self._bytes[self._sqe(self._tail):self._sqe(self._tail + 1)] = entry
        self._in_flight.append((self._tail, entry))
        self.times_full += self.is_full
        self._tail = (self._tail + 1) % self.depth
        self.trips_submitting += self._tail == 0

    def ring(self) -> None:
        self._doorbells.ring(self._tail)

    def reap(self) -> list[Result]:
        """Takes what is complete, without waiting."""
        results = []
        while self._completion_is_there():
            results.append(self._take_completion())
        if results:
            self._doorbells.return_head(self._head)
        return results

    def sleep(self) -> None:
        """Returns when a completion is there."""
        while not self._completion_is_there():
            self._doorbells.ask_for_interrupt(self._head)
            # A completion that came before the device saw the wish brings no interrupt, so look once more.
            if not self._completion_is_there():
                self._wait_for_interrupt()
            self._doorbells.decline_interrupt(self._head)
            self._read_interrupt_empty()

    def _sqe(self, index: int) -> int:
        return index * Submission.SIZE

    def _cqe(self, index: int) -> int:
        return self.depth * Submission.SIZE + index * Completion.SIZE

    def _completion_is_there(self) -> bool:
        phase = self._halfwords[(self._cqe(self._head) + Completion.PHASE_OFFSET) // 2]  # acquire: the rest is read after it
        return phase & 1 == self._phase

    def _take_completion(self) -> Result:
        if not self._in_flight:
            raise ProtocolError("a completion came although nothing was in flight")
        completion = Completion.unpack(bytes(self._bytes[self._cqe(self._head):self._cqe(self._head + 1)]))
        index, posted = self._in_flight.popleft()
        expect("index of a CQE", completion.index, index)
        expect("queue number of a CQE", completion.queue_number, self._number)

        self._head = (self._head + 1) % self.depth
        if self._head == 0:
            self._phase ^= 1
            self.trips_completing += 1
        return self._read_back(index, posted)

    def _read_back(self, index: int, posted: bytes) -> Result:
        written = bytes(self._bytes[self._sqe(index):self._sqe(index + 1)])
        expect("bytes of an SQE behind its control word", written[4:], posted[4:])
        control, _, _, _, _, tag = Submission.LAYOUT.unpack(written)
        expect("done bits of a completed SQE", control >> 30, DONE_BY_DEVICE)
        expect("algorithm of a completed SQE", control & 0x1F, posted[0] & 0x1F)
        return Result(tag, error=control >> 5 & 0x7FF, second_error=control >> 16 & 0x3FFF)

    def _wait_for_interrupt(self) -> None:
        self.times_slept += 1
        readable, _, _ = select.select([self._interrupt], [], [], INTERRUPT_SECONDS_MAX)
        if not readable:
            raise ProtocolError(
                f"no interrupt in {INTERRUPT_SECONDS_MAX} s, {self.in_flight} operations in flight, stop words {self.stop_words}")

    def _read_interrupt_empty(self) -> None:
        try:
            os.eventfd_read(self._interrupt)
        except BlockingIOError:
            pass  # the completion was seen before the interrupt, or there was none
