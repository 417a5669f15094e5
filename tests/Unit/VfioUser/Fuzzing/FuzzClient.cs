using WarpDrive.Linux;

namespace WarpProxy.Tests.Unit.VfioUser.Fuzzing;

/// <summary>One fuzzed client: its connection, renewed when the device ends it, and what it was given of the rings.</summary>
internal sealed class FuzzClient(ServedDevice device, FuzzDescriptors descriptors) : IDisposable
{
    private const int DusBytes = 86016;
    private const int DoorbellBytes = 4096;

    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly List<FileDescriptor> _received = [];
    private RawClient? _connection;
    private MappedMemory? _dus;
    private MappedMemory? _doorbells;
    private EventFd? _doorbell;

    public void Do(FuzzStep step)
    {
        if (step.Closes())
        {
            Close();
        }
        else if (step.Scribble != 0)
        {
            Scribble(new Random(step.Scribble));
        }
        else
        {
            Send(step);
        }
    }

    public void Dispose() => Close();

    private void Send(FuzzStep step)
    {
        _connection ??= device.Connect();
        FileDescriptor[] files = [.. step.Kinds.Select(kind => descriptors[kind]).OfType<FileDescriptor>()];
        try
        {
            _connection.Socket.Send(step.Bytes, files, wait: false);
            TakeReplies();
        }
        catch (LinuxException failure) when (failure.Error is Errno.EAGAIN)
        {
            // It reads what it was told, and says the rest another time or never.
            TakeReplies();
        }
        catch (LinuxException failure) when (failure.Error is Errno.EPIPE or Errno.ECONNRESET)
        {
            Close();
        }
    }

    /// <summary>Whatever is there, and the descriptors of rings among it.</summary>
    private void TakeReplies()
    {
        try
        {
            while (_connection!.Socket.Receive(_buffer, _received, wait: false) > 0)
            {
            }

            Close();
        }
        catch (LinuxException failure) when (failure.Error is Errno.EAGAIN)
        {
        }
        catch (LinuxException failure) when (failure.Error is Errno.ECONNRESET)
        {
            Close();
        }

        foreach (FileDescriptor file in _received)
        {
            Take(file);
        }

        _received.Clear();
    }

    private void Take(FileDescriptor file)
    {
        switch (file.GetSizeBytes())
        {
            case DusBytes when _dus is null && _connection is not null:
                _dus = MappedMemory.MapShared(file, 0, DusBytes, writable: true, secret: false);
                break;
            case DoorbellBytes when _doorbells is null && _connection is not null:
                _doorbells = MappedMemory.MapShared(file, 0, DoorbellBytes, writable: true, secret: false);
                break;
            case < 0 when _doorbell is null && _connection is not null:
                _doorbell = EventFd.Adopt(file);
                return;
            default:
                break;
        }

        file.Dispose();
    }

    /// <summary>Entries that are almost right, indices, flags and noise, while engines look at them.</summary>
    private void Scribble(Random random)
    {
        if (_dus is null || _doorbells is null)
        {
            return;
        }

        for (int i = random.Next(1, 12); i > 0; i--)
        {
            Span<byte> entry = _dus.Slice(64 * random.Next(1024), 64);
            switch (random.Next(6))
            {
                case 0:
                    random.NextBytes(_dus.Slice(random.Next(DusBytes - 64), 64));
                    break;
                case 1:
                    Volatile.Write(ref _doorbells.At<uint>(0x40 * random.Next(4)), random.Next(8) == 0 ? (uint)random.NextInt64() : (uint)random.Next(3));
                    break;
                case 2:
                    Volatile.Write(ref _doorbells.At<uint>(0), (uint)random.Next(1025));
                    _doorbell?.Signal();
                    break;
                case 3:
                    DescriptorZoo.FillAndBlock(random.Next(2) == 0 || _doorbell is null ? descriptors.EventFd : _doorbell);
                    break;
                default:
                    byte[] right = RawClient.Bytes(0x4000_0000u | (uint)random.Next(2), 15u, Address(random), Address(random), Address(random));
                    right.CopyTo(entry);
                    break;
            }
        }
    }

    private static ulong Address(Random random) => (0x10000 * (ulong)random.Next(1, 5)) + (ulong)random.Next(8192);

    private void Close()
    {
        _connection?.Dispose();
        _connection = null;
        _dus?.Dispose();
        _dus = null;
        _doorbells?.Dispose();
        _doorbells = null;
        _doorbell?.Dispose();
        _doorbell = null;
    }
}
