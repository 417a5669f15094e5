"""One connection with its memory, put to work: posts random operations in random bursts and checks every result."""

import random
from collections import deque
from dataclasses import dataclass

from dma_memory import DmaMemory, KeySet
from queue_pair import Control, Error, QueuePair, Register, Result, SharedDoorbells, Submission, TrappedDoorbells
from rsa_keys import Algorithm, RsaKey
from vfio_user import Connection, ProtocolError, expect

# How many of 36 operations are of each kind. Plain 4096-bit operations are slow on any device, so there are few.
MIXTURE = {
    (1024, Algorithm.CRT): 2, (1024, Algorithm.PLAIN): 2,
    (2048, Algorithm.CRT): 12, (2048, Algorithm.PLAIN): 6,
    (3072, Algorithm.CRT): 6, (3072, Algorithm.PLAIN): 3,
    (4096, Algorithm.CRT): 4, (4096, Algorithm.PLAIN): 1,
}
MIXTURE_SUM = sum(MIXTURE.values())

# One operation in this many is also computed by pow(cipher, d, n), which takes Python up to a quarter of a second.
RECOMPUTED_ONE_IN = 8


@dataclass(frozen=True)
class Operation:
    """The private-key operation on a cipher made from a known message. The device sees the cipher and must find the message."""

    key: RsaKey
    algorithm: Algorithm
    message: int
    cipher: int
    slot: int


class Client:
    """One connection, with its memory: one queue pair of the device, put to work."""

    def __init__(self, path: str, keys: KeySet, depth: int, trapped: bool, rng: random.Random):
        self._keys = keys
        self._depth = depth
        self._rng = rng
        self.connection = Connection(path)
        self.limits = self.connection.version()
        self.control = Control(self.connection)
        self.number = self.control.read(Register.QUEUE_NUMBER)
        self.doorbells = TrappedDoorbells(self.connection, self.number) if trapped else SharedDoorbells(self.connection)
        self.queue = QueuePair(self.connection, self.doorbells)
        # Each client has its own IOVAs, only so that a wrong one of another client's can be tried.
        self.memory = DmaMemory(self.connection, keys, depth, base=(0x7000 + self.number) << 32)

        self._free_slots = list(range(depth))
        self._operations: dict[int, Operation] = {}  # in flight, by tag
        self.right = self.recomputed = 0

    def close(self) -> None:
        self.queue.close()
        self.memory.close()

    def start(self) -> None:
        self.queue.start(self._depth)

    def run(self, count: int) -> None:
        """Sends `count` operations of all kinds through the rings, one or many or as many as fit at a time, and checks each."""
        kinds = mixture(count, self._rng)
        while kinds or self.queue.in_flight:
            burst = self._rng.choice((1, self._rng.randrange(1, self._depth), self._depth - 1))
            while kinds and burst and not self.queue.is_full:
                self.post(*kinds.popleft())
                burst -= 1
            self.queue.ring()

            left_over = self._rng.randrange(self.queue.in_flight)
            while self.queue.in_flight > left_over:
                self._reap()

    def post(self, bits: int, algorithm: Algorithm) -> None:
        """Writes a submission for a random key and message, without ringing."""
        key = self._rng.choice(self._keys[bits])
        message = self._message(key)
        operation = Operation(key, algorithm, message, key.encrypt(message), self._free_slots.pop())
        submission = self.submission(operation)
        self._operations[submission.tag] = operation
        self.queue.post(submission)

    def submission(self, operation: Operation) -> Submission:
        """Writes the input and marks the output as unwritten; returns the SQE."""
        key, slot = operation.key, operation.slot
        self.memory.write(self.memory.input(slot), operation.cipher.to_bytes(key.size, "big"))
        self.memory.mark_unwritten(slot)
        return Submission(
            operation.algorithm, key.size, self.memory.block(key, operation.algorithm),
            self.memory.input(slot), self.memory.output(slot), tag=self._rng.getrandbits(64))

    def attempt(self, submission: Submission) -> Result:
        """Has one submission computed, right or wrong, with nothing else in flight."""
        self.queue.post(submission)
        self.queue.ring()
        self.queue.sleep()
        (result,) = self.queue.reap()
        expect("tag", result.tag, submission.tag)
        return result

    def settle(self) -> list[tuple[Operation, Result]]:
        """Waits for everything in flight and returns it unchecked."""
        settled = []
        while self.queue.in_flight:
            self.queue.sleep()
            settled += [(self._finish(result), result) for result in self.queue.reap()]
        return settled

    def forget(self) -> list[Operation]:
        """After a reset: nothing is in flight any more. Returns what was."""
        forgotten = list(self._operations.values())
        self._operations.clear()
        self._free_slots += [operation.slot for operation in forgotten]
        return forgotten

    def _message(self, key: RsaKey) -> int:
        """Mostly any number below n; sometimes a short one, whose left bytes must come out as zeros, or one at the edge."""
        if self._rng.randrange(16):
            return self._rng.randrange(key.n)
        return self._rng.choice((0, 1, key.n - 1, self._rng.getrandbits(64)))

    def _reap(self) -> None:
        results = self.queue.reap()
        if not results:
            self.queue.sleep()
        for result in results:
            self._check(self._finish(result), result)

    def _finish(self, result: Result) -> Operation:
        operation = self._operations.pop(result.tag)
        self._free_slots.append(operation.slot)
        return operation

    def _check(self, operation: Operation, result: Result) -> None:
        """message^e = cipher, and the private-key operation undoes that for no other number: so cipher^d is the message."""
        key, name = operation.key, f"{operation.key.size * 8}-bit {operation.algorithm.name} operation {self.right}"
        expect(f"errors of {name}", (result.error, result.second_error), (Error.NONE, 0))
        output = self.memory.read(self.memory.output(operation.slot), key.size)
        if output != operation.message.to_bytes(key.size, "big"):
            raise ProtocolError(f"{name}: the result of {operation.cipher:#x} is {output.hex()}, not {operation.message:#x}")
        expect(f"{name} wrote nothing behind its output", self.memory.is_unwritten(operation.slot, key.size), True)

        self.right += 1
        if self.right % RECOMPUTED_ONE_IN == 0:
            expect(f"{name} as Python computes it", operation.message, key.decrypt(operation.cipher))
            self.recomputed += 1


def mixture(count: int, rng: random.Random) -> deque[tuple[int, Algorithm]]:
    one_round = [kind for kind, share in MIXTURE.items() for _ in range(share)]
    kinds = (one_round * (count // MIXTURE_SUM + 1))[:count]
    rng.shuffle(kinds)
    return deque(kinds)
