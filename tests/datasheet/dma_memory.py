"""Memory that a client shares with the device: key blocks, inputs and outputs (accel/README.md, "SQE" and DMA_MAP)."""

import errno
import fcntl
import mmap
import os
from dataclasses import dataclass

from rsa_keys import Algorithm, RsaKey
from vfio_user import Connection, DmaAccess, expect_refusal

KeySet = dict[int, list[RsaKey]]  # by bits of the modulus

PAGE = 4096
NUMBER_MAX = 512  # bytes of the largest input or output
KEY_BLOCK_MAX = 5 * NUMBER_MAX // 2

# Nothing needs to be aligned; the odd strides see to it that nothing is.
NUMBER_STRIDE = NUMBER_MAX + 3
KEY_BLOCK_STRIDE = KEY_BLOCK_MAX + 3

# Outputs are filled with this before each operation, to see whether they were written.
UNWRITTEN = 0xA5


@dataclass(frozen=True)
class Area:
    """A part of the memfd that is announced to the device as one DMA mapping."""

    file_offset: int
    iova: int
    size: int
    access: DmaAccess

    @property
    def end(self) -> int:
        return self.iova + self.size


class DmaMemory:
    """A sealed memfd with an area each for key blocks, inputs and outputs. All its addresses are IOVAs."""

    def __init__(self, connection: Connection, keys: KeySet, slots: int, base: int):
        self._connection = connection
        blocks = [(key, algorithm) for keys_of_size in keys.values() for key in keys_of_size for algorithm in Algorithm]
        keys_size = round_up(len(blocks) * KEY_BLOCK_STRIDE, PAGE)
        numbers_size = round_up(slots * NUMBER_STRIDE, PAGE)

        # A hole between the areas, so that a range that leaves one does not fall into the next.
        self.keys = Area(0, base, keys_size, DmaAccess.DEVICE_READS)
        self.inputs = Area(keys_size, self.keys.end + PAGE, numbers_size, DmaAccess.DEVICE_READS)
        self.outputs = Area(keys_size + numbers_size, self.inputs.end + PAGE, numbers_size, DmaAccess.DEVICE_WRITES)
        self._areas = (self.keys, self.inputs, self.outputs)

        size = keys_size + 2 * numbers_size
        self._memfd = os.memfd_create("datasheet-client", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(self._memfd, size)
        self._mapping = mmap.mmap(self._memfd, size)

        expect_refusal(errno.EINVAL, "DMA_MAP of an unsealed memfd", lambda: self.announce(self.keys))
        fcntl.fcntl(self._memfd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        for area in self._areas:
            self.announce(area)

        self._blocks = {}
        for number, (key, algorithm) in enumerate(blocks):
            self._blocks[key, algorithm] = self.keys.iova + number * KEY_BLOCK_STRIDE
            self.write(self._blocks[key, algorithm], key.block(algorithm))

    def close(self) -> None:
        self._mapping.close()
        os.close(self._memfd)

    def announce(self, area: Area) -> None:
        self._connection.dma_map(self._memfd, area.file_offset, area.iova, area.size, area.access)

    def withdraw(self, area: Area) -> None:
        self._connection.dma_unmap(area.iova, area.size)

    def block(self, key: RsaKey, algorithm: Algorithm) -> int:
        return self._blocks[key, algorithm]

    def input(self, slot: int) -> int:
        return self.inputs.iova + slot * NUMBER_STRIDE

    def output(self, slot: int) -> int:
        return self.outputs.iova + slot * NUMBER_STRIDE

    def read(self, iova: int, size: int) -> bytes:
        offset = self._file_offset(iova)
        return self._mapping[offset:offset + size]

    def write(self, iova: int, data: bytes) -> None:
        offset = self._file_offset(iova)
        self._mapping[offset:offset + len(data)] = data

    def mark_unwritten(self, slot: int) -> None:
        self.write(self.output(slot), bytes([UNWRITTEN]) * NUMBER_STRIDE)

    def is_unwritten(self, slot: int, first: int = 0) -> bool:
        """Whether nothing was written from byte `first` of an output on, up to the next output."""
        return self.read(self.output(slot) + first, NUMBER_STRIDE - first).count(UNWRITTEN) == NUMBER_STRIDE - first

    def _file_offset(self, iova: int) -> int:
        area = next(area for area in self._areas if area.iova <= iova < area.end)
        return area.file_offset + iova - area.iova


def round_up(size: int, unit: int) -> int:
    return -(-size // unit) * unit
