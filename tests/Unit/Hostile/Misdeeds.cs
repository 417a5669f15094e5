using System.Numerics;
using WarpDrive.Abi.Device;
using WarpDrive.Abi.Hpre;
using WarpDrive.Driver;
using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.Hostile;

/// <summary>Everything that a device can do wrong, by name, and how it is found out.</summary>
internal static class Misdeeds
{
    private const uint Unwritten = 1;   // the done bits as the host posts them

    // Nobody signals it.
    private static readonly EventFd Never = new();

    /// <summary>What breaks the protocol or gives a wrong result: no operation after the first that met it reaches the device.</summary>
    public static readonly Dictionary<string, (AcceleratorError Reason, Func<Misdeed> Make)> Quarantined = new()
    {
        ["completion with an index of the ring's depth"] = Protocol(static (device, submission) =>
        {
            device.AnswerNothing(submission);
            device.Complete(device.Depth);
        }),
        ["completion with index 65535"] = Protocol(static (device, submission) =>
        {
            device.AnswerNothing(submission);
            device.Complete(ushort.MaxValue);
        }),
        ["completion for what is not in flight"] = Protocol(static (device, submission) =>
        {
            device.AnswerNothing(submission);
            device.MarkDone((submission.Index + 1) % device.Depth);
            device.Complete((submission.Index + 1) % device.Depth);
        }),
        ["completion of another queue"] = Protocol(static (device, submission) =>
        {
            device.AnswerNothing(submission);
            device.Complete(submission.Index, HostileDevice.QueueNumber + 1);
        }),
        ["completion of queue 65535"] = Protocol(static (device, submission) =>
        {
            device.AnswerNothing(submission);
            device.Complete(submission.Index, ushort.MaxValue);
        }),
        ["completion without the done bits"] = Protocol(static (device, submission) =>
        {
            device.WriteOutput(submission, device.Compute(submission));
            device.MarkDone(submission.Index, done: Unwritten);
            device.Complete(submission.Index);
        }),
        ["completion twice"] = Protocol(static (device, submission) =>
        {
            device.WriteOutput(submission, device.Compute(submission));
            device.MarkDone(submission.Index);
            device.WriteCompletion((device.NextCompletion + 1) % device.Depth, submission.Index, device.NextPhase, HostileDevice.QueueNumber);
            device.Complete(submission.Index);
            device.Skip();
        }),
        ["completion before the doorbell"] = (AcceleratorError.Protocol, static () => new Misdeed
        {
            Start = static device => device.Complete(device.NextSubmission),
            Answer = static (device, submission) => device.AnswerRight(submission),
        }),
        ["every completion of the ring at once"] = Protocol(static (device, submission) =>
        {
            device.WriteOutput(submission, device.Compute(submission));
            device.MarkDone(submission.Index);
            for (int at = 0; at < device.Depth; at++)
            {
                device.WriteCompletion(at, at, device.NextPhase, HostileDevice.QueueNumber);
            }

            device.Interrupt();
        }),
        ["every byte of the completion ring is 0xff"] = Protocol(static (device, _) =>
        {
            device.Dus.Slice(DeviceUserShare.CompletionOffset(device.Depth, 0), device.Depth * CompletionEntry.SizeInBytes).Fill(0xff);
            device.Interrupt();
        }),
        ["interrupts without end and no completion"] = (AcceleratorError.Protocol, static () => new Misdeed
        {
            Answer = static (device, _) =>
            {
                while (!device.IsClosed)
                {
                    device.Interrupt();
                }
            },
        }),
        ["one wrong bit"] = Wrong(static (device, submission) =>
        {
            byte[] result = device.Compute(submission);
            result[device.Random.Next(result.Length)] ^= (byte)(1 << device.Random.Next(8));
            return result;
        }),
        ["zero"] = Wrong(static (_, submission) => new byte[submission.ModulusBytes]),
        ["one"] = Wrong(static (_, submission) => Bytes(BigInteger.One, submission)),
        ["the modulus"] = Wrong(static (device, submission) => Bytes(device.Modulus(submission), submission)),
        ["the modulus plus one"] = Wrong(static (device, submission) => Bytes(device.Modulus(submission) + 1, submission)),
        ["the modulus less the right result"] = Wrong(static (device, submission) =>
            Bytes(device.Modulus(submission) - new BigInteger(device.Compute(submission), isUnsigned: true, isBigEndian: true), submission)),
        ["every byte 0xff"] = Wrong(static (_, submission) => [.. Enumerable.Repeat((byte)0xff, submission.ModulusBytes)]),
        ["random bytes"] = Wrong(static (device, submission) =>
        {
            byte[] result = new byte[submission.ModulusBytes];
            device.Random.NextBytes(result);
            return result;
        }),
        ["the input echoed"] = Wrong(static (device, submission) => device.Host(submission.InputIova, submission.ModulusBytes).ToArray()),
        ["no result, but a completion"] = (AcceleratorError.WrongResult, static () => new Misdeed
        {
            Answer = static (device, submission) => device.AnswerNothing(submission, completes: true),
        }),
        ["the result of the operation before"] = (AcceleratorError.WrongResult, static () =>
        {
            byte[]? last = null;
            return new Misdeed
            {
                Answer = (device, submission) =>
                {
                    byte[] result = device.Compute(submission);
                    device.AnswerWith(submission, Interlocked.Exchange(ref last, result) ?? result);
                },
            };
        }),
        ["the input changed under the operation"] = Wrong(static (device, submission) =>
        {
            device.Host(submission.InputIova, submission.ModulusBytes)[^1] ^= 1;
            return device.Compute(submission);
        }),
        ["the key changed under the operation"] = Wrong(static (device, submission) =>
        {
            // One half of a CRT result wrong: given to anybody, it reveals the primes.
            device.Host(submission.KeyIova, 16)[15] ^= 2;
            return device.Compute(submission);
        }),
    };

    /// <summary>What a device may do, or cannot be told from being slow or gone: the operation has software, and what else happens depends.</summary>
    public static readonly Dictionary<string, (AcceleratorError Reason, Func<Misdeed> Make)> Tolerated = new()
    {
        ["no answer"] = Late(static (_, _) => { }),
        ["completion with the phase of the trip before"] = Late(static (device, submission) =>
        {
            device.AnswerNothing(submission);
            device.WriteCompletion(device.NextCompletion, submission.Index, device.NextPhase ^ 1, HostileDevice.QueueNumber);
            device.Interrupt();
        }),
        ["done without a completion"] = Late(static (device, submission) =>
        {
            device.WriteOutput(submission, device.Compute(submission));
            device.MarkDone(submission.Index);
            device.Interrupt();
        }),
        ["completion one place too far"] = Late(static (device, submission) =>
        {
            device.AnswerNothing(submission);
            device.WriteCompletion((device.NextCompletion + 1) % device.Depth, submission.Index, device.NextPhase, HostileDevice.QueueNumber);
            device.Interrupt();
        }),
        ["full eventfds that wait"] = (AcceleratorError.Deadline, static () => new Misdeed
        {
            Start = static device =>
            {
                device.FillDoorbell();
                device.FillInterrupt();
            },
            Answer = static (_, _) => { },
            Idle = static device => device.FillDoorbell(),
        }),
        ["interrupts stolen from who reads them"] = (AcceleratorError.Deadline, static () => new Misdeed
        {
            Answer = static (device, _) =>
            {
                for (int i = 0; i < 50 && !device.IsClosed; i++)
                {
                    device.Interrupt();
                    device.StealInterrupt();
                }
            },
        }),
        ["right results after the deadline"] = (AcceleratorError.Deadline, static () => new Misdeed
        {
            Answer = static (device, submission) =>
            {
                _ = Poll.WaitReadable(Never.File, null, 4 * HostilePool.Deadline);
                if (!device.IsClosed)
                {
                    device.AnswerRight(submission);
                }
            },
        }),
        ["every error"] = Error(static device => (uint)device.Random.Next(1, 0x800)),
        ["errors of the second field"] = Error(static device => (uint)device.Random.Next(1, 0x4000) << 11),
        ["the stop word"] = (AcceleratorError.DeviceGone, static () => new Misdeed
        {
            Answer = static (device, _) =>
            {
                device.Stop(true);
                device.Interrupt();
            },
        }),
        ["gone"] = (AcceleratorError.DeviceGone, static () => new Misdeed
        {
            Answer = static (device, _) =>
            {
                device.IsGone = true;
                device.Interrupt();
            },
        }),
        ["no key size"] = (AcceleratorError.UnsupportedKey, static () => new Misdeed
        {
            Answer = static (device, submission) => device.AnswerRight(submission),
            Make = static device => device.SetRegister(ControlRegister.KeySizes, 0),
        }),
    };

    /// <summary>What must not matter at all, or only sometimes: no reason is due.</summary>
    public static readonly Dictionary<string, Func<Misdeed>> Harmless = new()
    {
        ["right results without interrupts"] = static () => new Misdeed
        {
            Answer = static (device, submission) =>
            {
                device.WriteOutput(submission, device.Compute(submission));
                device.MarkDone(submission.Index);
                device.Complete(submission.Index, interrupts: false);
            },
        },
        ["always asleep, always interrupting"] = static () => new Misdeed
        {
            IsRestless = true,
            Answer = static (device, submission) => device.AnswerRight(submission),
            Idle = static device =>
            {
                Volatile.Write(ref device.Doorbells.At<uint>(ParavirtualDoorbell.DeviceAsleepOffset), 1);
                device.Interrupt();
            },
        },
        ["status and result changed after they were read"] = static () => new Misdeed
        {
            IsRestless = true,
            Answer = static (device, submission) =>
            {
                device.AnswerRight(submission);
                for (int i = 0; i < 2000; i++)
                {
                    device.MarkDone(submission.Index, (uint)i & 1, (uint)i & 3);
                    device.WriteCompletion(device.NextCompletion, i, device.NextPhase ^ 1, i);
                    device.Host(submission.OutputIova, submission.ModulusBytes).Fill((byte)i);
                }
            },
        },
        ["the stop word on and off"] = static () => new Misdeed
        {
            IsRestless = true,
            Answer = static (device, submission) => device.AnswerRight(submission),
            Idle = static device => device.Stop(device.Random.Next(2) == 0),
        },
        ["gone and back"] = static () => new Misdeed
        {
            IsRestless = true,
            Answer = static (device, submission) => device.AnswerRight(submission),
            Idle = static device => device.IsGone = device.Random.Next(2) == 0,
        },
        ["everything overwritten all the time"] = static () => new Misdeed
        {
            IsRestless = true,
            Answer = static (device, submission) => device.AnswerRight(submission),
            Idle = static device =>
            {
                Scribble(device, device.Dus.GetSpan(), 64);
                Scribble(device, device.Doorbells.GetSpan(), 64);
                foreach (MappedMemory memory in device.HostMemory)
                {
                    Scribble(device, memory.GetSpan(), 64);
                }
            },
            Close = static device =>
            {
                foreach (MappedMemory memory in device.HostMemory)
                {
                    memory.GetSpan().Fill(0xdb);
                }
            },
        },
        ["flags and tails overwritten all the time"] = static () => new Misdeed
        {
            IsRestless = true,
            Answer = static (device, submission) => device.AnswerRight(submission),
            Idle = static device => device.Random.NextBytes(device.Doorbells.GetSpan()),
        },
    };

    /// <summary>All of them, drawn anew for each submission.</summary>
    public static Misdeed Mixed()
    {
        Misdeed[] all =
        [
            .. Quarantined.Values.Select(static entry => entry.Make()), .. Tolerated.Values.Select(static entry => entry.Make()),
            .. Harmless.Values.Select(static make => make()), .. Enumerable.Range(0, 20).Select(static _ => Harmless.Values.First()()),
        ];
        int rightAnswers = -1;  // as many as it takes to pass for a good device, or fewer
        return new Misdeed
        {
            Start = device =>
            {
                rightAnswers = device.Random.Next(12);
                if (device.Random.Next(10) == 0)
                {
                    all[device.Random.Next(all.Length)].Start?.Invoke(device);
                }
            },
            Answer = (device, submission) =>
            {
                if (rightAnswers-- > 0)
                {
                    device.AnswerRight(submission);
                    return;
                }

                all[device.Random.Next(all.Length)].Answer(device, submission);
            },
            Idle = device =>
            {
                if (rightAnswers <= 0 && device.Random.Next(3) == 0)
                {
                    all[device.Random.Next(all.Length)].Idle?.Invoke(device);
                }
            },
            Close = device => all[device.Random.Next(all.Length)].Close?.Invoke(device),
        };
    }

    private static (AcceleratorError Reason, Func<Misdeed> Make) Protocol(Action<HostileDevice, HostileSubmission> answer) =>
        (AcceleratorError.Protocol, () => new Misdeed { Answer = answer });

    private static (AcceleratorError Reason, Func<Misdeed> Make) Late(Action<HostileDevice, HostileSubmission> answer) =>
        (AcceleratorError.Deadline, () => new Misdeed { Answer = answer });

    private static (AcceleratorError Reason, Func<Misdeed> Make) Wrong(Func<HostileDevice, HostileSubmission, byte[]> result) =>
        (AcceleratorError.WrongResult, () => new Misdeed { Answer = (device, submission) => device.AnswerWith(submission, result(device, submission)) });

    private static (AcceleratorError Reason, Func<Misdeed> Make) Error(Func<HostileDevice, uint> error) =>
        (AcceleratorError.DeviceError, () => new Misdeed
        {
            Answer = (device, submission) =>
            {
                // With the right result, which may not be taken.
                device.WriteOutput(submission, device.Compute(submission));
                device.MarkDone(submission.Index, error(device));
                device.Complete(submission.Index);
            },
        });

    private static void AnswerNothing(this HostileDevice device, HostileSubmission submission, bool completes = false)
    {
        device.MarkDone(submission.Index);
        if (completes)
        {
            device.Complete(submission.Index);
        }
    }

    private static byte[] Bytes(BigInteger number, HostileSubmission submission)
    {
        byte[] bytes = number.ToByteArray(isUnsigned: true, isBigEndian: true);
        byte[] padded = new byte[submission.ModulusBytes];
        bytes.AsSpan(Math.Max(0, bytes.Length - padded.Length)).CopyTo(padded.AsSpan(Math.Max(0, padded.Length - bytes.Length)));
        return padded;
    }

    private static void Scribble(HostileDevice device, Span<byte> memory, int count)
    {
        for (int i = 0; i < count; i++)
        {
            memory[device.Random.Next(memory.Length)] = (byte)device.Random.Next(256);
        }
    }
}
