"""The messages of vfio-user that the device knows (accel/README.md, "vfio-user messages").

One Connection is one queue pair of the device. Commands go out one at a time, and the reply is read before the next goes.
"""

import errno
import json
import mmap
import os
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag


class Command(IntEnum):
    VERSION = 1
    DMA_MAP = 2
    DMA_UNMAP = 3
    DEVICE_GET_INFO = 4
    DEVICE_GET_REGION_INFO = 5
    DEVICE_GET_REGION_IO_FDS = 6
    DEVICE_GET_IRQ_INFO = 7
    DEVICE_SET_IRQS = 8
    REGION_READ = 9
    REGION_WRITE = 10
    DEVICE_RESET = 13


class DmaAccess(IntFlag):
    DEVICE_READS = 1
    DEVICE_WRITES = 2


class RegionFlag(IntFlag):
    READ = 1
    WRITE = 2
    MAP = 4
    CAPABILITIES = 8


HEADER = struct.Struct("<HHIII")  # id, command, size, flags, errno

TYPE_MASK = 0xF
TYPE_REPLY = 1
NO_REPLY = 1 << 4
ERROR = 1 << 5

VERSION = struct.Struct("<HH")  # major, minor
DMA_MAP = struct.Struct("<IIQQQ")  # argsz, flags, file offset, IOVA, size
DMA_UNMAP = struct.Struct("<IIQQ")  # argsz, flags, IOVA, size
DEVICE_INFO = struct.Struct("<IIII")  # argsz, flags, regions, interrupt indices
REGION_INFO = struct.Struct("<IIIIQQ")  # argsz, flags, region, first capability, size, offset for mmap
MAP_CAPABILITY = struct.Struct("<HHIIIQQ")  # id, version, next, areas, 0, offset, size
REGION_IO_FDS = struct.Struct("<IIII")  # argsz, flags, region, count
IO_EVENTFD = struct.Struct("<QQIIIIQ")  # offset, size, index of the descriptor, type, flags, 0, datamatch
IRQ_INFO = struct.Struct("<IIII")  # argsz, flags, index, count
IRQ_SET = struct.Struct("<IIIII")  # argsz, flags, index, start, count
REGION_ACCESS = struct.Struct("<QII")  # offset, region, count

IRQ_EVENTFD_TRIGGER = 0x24
IRQ_NONE_TRIGGER = 0x21

MESSAGE_SIZE_MAX = 65536 + 64
DESCRIPTORS_MAX = 8
REPLY_SECONDS_MAX = 30


class ProtocolError(Exception):
    """The device said something that the datasheet does not allow."""


class Refused(Exception):
    """The device answered a command with an error number."""

    def __init__(self, command: int, number: int):
        super().__init__(f"command {command} was refused: {errno.errorcode.get(number, number)}")
        self.errno = number


@dataclass(frozen=True)
class Region:
    """Answer to DEVICE_GET_REGION_INFO; the descriptor is the caller's to close, None for a region that cannot be mapped."""

    flags: RegionFlag
    size: int
    mmap_offset: int
    descriptor: int | None


class Connection:
    """The client's end of one vfio-user connection."""

    def __init__(self, path: str):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(REPLY_SECONDS_MAX)
        try:
            self._socket.connect(path)
        except OSError as failure:
            self._socket.close()
            raise ProtocolError(f"no device at {path}: {failure.strerror}") from failure
        self._next_id = 1

    def close(self) -> None:
        self._socket.close()

    # The commands, in the order of their numbers.

    def version(self) -> dict:
        """Agrees on version 0.0 and returns the limits that the device names."""
        text = json.dumps({"capabilities": {"max_msg_fds": DESCRIPTORS_MAX}}).encode() + b"\0"
        reply = self.call(Command.VERSION, VERSION.pack(0, 0) + text)
        major, minor = VERSION.unpack_from(reply)
        expect("version", (major, minor), (0, 0))
        return json.loads(reply[VERSION.size:].rstrip(b"\0"))

    def dma_map(self, memfd: int, file_offset: int, iova: int, size: int, access: DmaAccess) -> None:
        self.call(Command.DMA_MAP, DMA_MAP.pack(DMA_MAP.size, access, file_offset, iova, size), [memfd])

    def dma_unmap(self, iova: int, size: int) -> None:
        payload = DMA_UNMAP.pack(DMA_UNMAP.size, 0, iova, size)
        expect("reply to DMA_UNMAP", self.call(Command.DMA_UNMAP, payload), payload)

    def device_info(self) -> tuple[int, int]:
        """Returns how many regions and how many interrupt indices there are."""
        reply = self.call(Command.DEVICE_GET_INFO, DEVICE_INFO.pack(DEVICE_INFO.size, 0, 0, 0))
        _, flags, regions, interrupts = DEVICE_INFO.unpack(reply)
        expect("device flags", flags, 1)
        return regions, interrupts

    def region(self, number: int) -> Region:
        reply, _ = self._region_info(number, REGION_INFO.size)
        needed = REGION_INFO.unpack_from(reply)[0]
        reply, descriptors = self._region_info(number, needed)
        _, flags, answered, capability, size, offset = REGION_INFO.unpack_from(reply)
        expect("region of the answer", answered, number)
        if not flags & RegionFlag.CAPABILITIES:
            expect("descriptors of a region that cannot be mapped", len(descriptors), 0)
            return Region(RegionFlag(flags), size, offset, None)

        expect("areas that can be mapped", MAP_CAPABILITY.unpack_from(reply, capability), (1, 1, 0, 1, 0, 0, size))
        expect("descriptors of a region that can be mapped", len(descriptors), 1)
        return Region(RegionFlag(flags), size, offset, descriptors[0])

    def map_region(self, number: int) -> mmap.mmap:
        region = self.region(number)
        if region.descriptor is None:
            raise ProtocolError(f"region {number} cannot be mapped")
        try:
            return mmap.mmap(
                region.descriptor, region.size, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=region.mmap_offset)
        finally:
            os.close(region.descriptor)

    def region_io_eventfd(self, number: int) -> int:
        """Returns the eventfd that wakes the device, for the caller to close."""
        room = REGION_IO_FDS.size + IO_EVENTFD.size
        reply, descriptors = self._call_with_descriptors(
            Command.DEVICE_GET_REGION_IO_FDS, REGION_IO_FDS.pack(room, 0, number, 0), [])
        expect("answer to DEVICE_GET_REGION_IO_FDS", REGION_IO_FDS.unpack_from(reply), (room, 0, number, 1))
        expect("ioeventfd", IO_EVENTFD.unpack_from(reply, REGION_IO_FDS.size), (0, 4, 0, 0, 0, 0, 0))
        expect("descriptors of the ioeventfd", len(descriptors), 1)
        return descriptors[0]

    def interrupts(self, index: int) -> int:
        """Returns how many interrupts the index has."""
        reply = self.call(Command.DEVICE_GET_IRQ_INFO, IRQ_INFO.pack(IRQ_INFO.size, 0, index, 0))
        _, flags, answered, count = IRQ_INFO.unpack(reply)
        expect("flags and index of the interrupt", (flags, answered), (1, index))
        return count

    def set_interrupt(self, eventfd: int | None) -> None:
        """Gives the device the eventfd that it signals; None takes it away."""
        if eventfd is None:
            self.call(Command.DEVICE_SET_IRQS, IRQ_SET.pack(IRQ_SET.size, IRQ_NONE_TRIGGER, 0, 0, 0))
        else:
            self.call(Command.DEVICE_SET_IRQS, IRQ_SET.pack(IRQ_SET.size, IRQ_EVENTFD_TRIGGER, 0, 0, 1), [eventfd])

    def region_read(self, region: int, offset: int, count: int) -> bytes:
        access = REGION_ACCESS.pack(offset, region, count)
        reply = self.call(Command.REGION_READ, access)
        expect("reply to REGION_READ", reply[:REGION_ACCESS.size], access)
        expect("bytes read", len(reply) - REGION_ACCESS.size, count)
        return reply[REGION_ACCESS.size:]

    def region_write(self, region: int, offset: int, data: bytes) -> None:
        access = REGION_ACCESS.pack(offset, region, len(data))
        expect("reply to REGION_WRITE", self.call(Command.REGION_WRITE, access + data), access)

    def region_write_without_reply(self, region: int, offset: int, data: bytes) -> None:
        """Nobody says when, or whether, the device took it."""
        self._send(Command.REGION_WRITE, REGION_ACCESS.pack(offset, region, len(data)) + data, [], NO_REPLY)

    def reset(self) -> None:
        self.call(Command.DEVICE_RESET, b"")

    # Below the commands: one message out, one message in.

    def _region_info(self, number: int, room: int) -> tuple[bytes, list[int]]:
        return self._call_with_descriptors(
            Command.DEVICE_GET_REGION_INFO, REGION_INFO.pack(room, 0, number, 0, 0, 0), [])

    def call(self, command: int, payload: bytes, descriptors: Sequence[int] = ()) -> bytes:
        reply, received = self._call_with_descriptors(command, payload, descriptors)
        expect("descriptors that nobody asked for", len(received), 0)
        return reply

    def _call_with_descriptors(self, command: int, payload: bytes, descriptors: Sequence[int]) -> tuple[bytes, list[int]]:
        identity = self._send(command, payload, descriptors, 0)
        header, received = self._receive_header()
        answered, answered_command, size, flags, number = HEADER.unpack(header)
        expect("id, command and type of the reply", (answered, answered_command, flags & TYPE_MASK), (identity, command, TYPE_REPLY))
        if not HEADER.size <= size <= MESSAGE_SIZE_MAX:
            raise ProtocolError(f"a reply has size {size}; allowed are {HEADER.size} to {MESSAGE_SIZE_MAX}")

        reply = self._receive(size - HEADER.size)
        if flags & ERROR:
            raise Refused(command, number)
        return reply, received

    def _send(self, command: int, payload: bytes, descriptors: Sequence[int], flags: int) -> int:
        identity = self._next_id
        self._next_id = (self._next_id + 1) & 0xFFFF
        message = HEADER.pack(identity, command, HEADER.size + len(payload), flags, 0) + payload
        # Descriptors travel with the first byte, so that whatever a short sendmsg leaves over goes without them.
        sent = socket.send_fds(self._socket, [message], descriptors) if descriptors else 0
        self._socket.sendall(message[sent:])
        return identity

    def _receive_header(self) -> tuple[bytes, list[int]]:
        header, received, _, _ = socket.recv_fds(self._socket, HEADER.size, DESCRIPTORS_MAX, socket.MSG_CMSG_CLOEXEC)
        return header + self._receive(HEADER.size - len(header)), received

    def _receive(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise ProtocolError("the device closed the connection")
            data += part
        return bytes(data)


def expect(what: str, seen: object, allowed: object) -> None:
    if seen != allowed:
        raise ProtocolError(f"{what}: {seen!r}; the datasheet says {allowed!r}")


def expect_refusal(number: int, what: str, action: Callable[[], object]) -> None:
    try:
        action()
    except Refused as refused:
        expect(what, errno.errorcode[refused.errno], errno.errorcode[number])
    else:
        raise ProtocolError(f"{what} was taken; the datasheet says {errno.errorcode[number]}")
