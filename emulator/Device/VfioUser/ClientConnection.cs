using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using WarpDrive.Abi.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Emulator.VfioUser;

/// <summary>
/// One client's socket: gathers messages from whatever pieces arrive, has them executed, sends the replies. Never waits: a
/// piece that is missing is awaited by the server's poll, and a client whose socket takes no more replies is given up, so
/// that none can hold up the others. Used by the server's thread only.
/// </summary>
internal sealed class ClientConnection : IDisposable
{
    // A client that keeps the socket full gets its turn again after the others had theirs.
    private const int MaxMessagesPerTurn = 16;

    private const int SmallPayloadBytes = 4096;

    private readonly UnixSocket _socket;
    private readonly CommandInterpreter _interpreter;
    private readonly DescriptorCloser _closer;
    private readonly LogBudget _budget;
    private readonly ILogger _logger;
    private readonly byte[] _reply;
    private readonly byte[] _headerBytes = new byte[MessageHeader.SizeInBytes];
    private readonly byte[] _smallPayload = new byte[SmallPayloadBytes];
    private readonly List<FileDescriptor> _received = [];
    private readonly List<FileDescriptor> _passed = [];
    private MessageHeader _header;      // valid once _receivedBytes has reached its size
    private byte[] _payload;            // _smallPayload, or an array of its own for a long message
    private int _receivedBytes;         // of the message that is arriving, header included

    /// <summary>Takes ownership of the socket and the interpreter.</summary>
    /// <param name="number">For the log.</param>
    /// <param name="socket">Connected.</param>
    /// <param name="interpreter">Executes what arrives.</param>
    /// <param name="closer">Closes descriptors that the client should not have sent.</param>
    /// <param name="reply">Room for the longest reply; the connections of one thread share it.</param>
    /// <param name="budget">What may be logged.</param>
    /// <param name="logger">For refusals.</param>
    public ClientConnection(
        long number,
        UnixSocket socket,
        CommandInterpreter interpreter,
        DescriptorCloser closer,
        byte[] reply,
        LogBudget budget,
        ILogger logger)
    {
        _closer = closer;
        _budget = budget;
        Number = number;
        _socket = socket;
        _interpreter = interpreter;
        _reply = reply;
        _logger = logger;
        _payload = _smallPayload;
    }

    /// <summary>Counts the connections of a server.</summary>
    public long Number { get; }

    /// <summary>What to poll.</summary>
    public FileDescriptor File => _socket.File;

    /// <summary>Whether VERSION has opened a queue.</summary>
    public bool IsOpen => _interpreter.IsOpen;

    /// <summary>Whose process it is.</summary>
    public required uint UserId { get; init; }

    /// <summary>When the connection was accepted: a <see cref="TimeProvider"/> timestamp.</summary>
    public required long AcceptedAt { get; init; }

    /// <summary>Handles what has arrived.</summary>
    /// <returns>Null, or why the connection is to be ended.</returns>
    public string? Serve()
    {
        for (int messages = 0; messages < MaxMessagesPerTurn; messages++)
        {
            string? end = TryReceive(out bool isComplete);
            if (end is not null || !isComplete)
            {
                return end;
            }

            end = Answer();
            _receivedBytes = 0;
            _payload = _smallPayload;
            if (end is not null)
            {
                return end;
            }
        }

        return null;
    }

    /// <summary>Closes socket, descriptors and queue. The socket is emptied first: it would close descriptors that nobody received, and could wait for them.</summary>
    public void Dispose()
    {
        _socket.ShutDown();
        try
        {
            while (_socket.Receive(_reply, _received, wait: false) > 0)
            {
            }
        }
        catch (LinuxException)
        {
            // Nothing more is there.
        }

        _closer.Close(_received);
        _socket.Dispose();
        _interpreter.Dispose();
    }

    /// <summary>
    /// Receives up to the end of one message and never past it: the kernel hands descriptors out with the bytes that they
    /// were sent with, so bytes of the next message would bring descriptors that nobody could tell whose they are.
    /// </summary>
    private string? TryReceive(out bool isComplete)
    {
        isComplete = false;
        while (true)
        {
            Span<byte> missing;
            if (_receivedBytes < MessageHeader.SizeInBytes)
            {
                missing = _headerBytes.AsSpan(_receivedBytes);
            }
            else
            {
                int payloadBytes = (int)_header.Size - MessageHeader.SizeInBytes;
                missing = _payload.AsSpan(0, payloadBytes)[(_receivedBytes - MessageHeader.SizeInBytes)..];
                if (missing.IsEmpty)
                {
                    isComplete = true;
                    return null;
                }
            }

            int count;
            try
            {
                count = _socket.Receive(missing, _received, wait: false);
            }
            catch (LinuxException failure) when (failure.Error == Errno.EAGAIN)
            {
                return null;
            }
            catch (LinuxException failure)
            {
                return failure.Message;
            }

            if (count == 0)
            {
                return _receivedBytes == 0 ? "closed by the client" : "closed by the client in the middle of a message";
            }

            // Also while a message is incomplete: a client cannot fill this process with descriptors, byte by byte.
            if (_received.Count > ProtocolCapabilities.Emulated.MaxMessageDescriptors)
            {
                return $"a message brought {_received.Count} descriptors; at most {ProtocolCapabilities.Emulated.MaxMessageDescriptors} are allowed";
            }

            _receivedBytes += count;
            if (_receivedBytes == MessageHeader.SizeInBytes && TakeHeader() is string end)
            {
                return end;
            }
        }
    }

    private string? TakeHeader()
    {
        _header = MemoryMarshal.Read<MessageHeader>(_headerBytes);
        if (_header.Size is < MessageHeader.SizeInBytes or > ProtocolCapabilities.MaxMessageBytes)
        {
            return $"message size {_header.Size}; {MessageHeader.SizeInBytes} to {ProtocolCapabilities.MaxMessageBytes} are allowed";
        }

        int payloadBytes = (int)_header.Size - MessageHeader.SizeInBytes;
        _payload = payloadBytes <= SmallPayloadBytes ? _smallPayload : new byte[payloadBytes];
        return null;
    }

    private string? Answer()
    {
        VfioUserCommand command = _header.Command;
        ReadOnlySpan<byte> payload = _payload.AsSpan(0, (int)_header.Size - MessageHeader.SizeInBytes);
        int replyBytes = 0;
        int error = 0;
        _passed.Clear();
        try
        {
            if ((_header.Flags & MessageFlags.TypeMask) != MessageFlags.Command)
            {
                throw new LinuxException("vfio-user", $"message of type {(uint)(_header.Flags & MessageFlags.TypeMask)}; 0, a command, is allowed", Errno.EINVAL);
            }

            replyBytes = _interpreter.Execute(command, payload, _received, _reply.AsSpan(MessageHeader.SizeInBytes), _passed);

            // The files of memory and eventfds that a command took: to close those takes no time.
            _received.ForEach(static descriptor => descriptor.Dispose());
            _received.Clear();
        }
        catch (LinuxException refusal)
        {
            _logger.CommandRefused(Number, VfioUserCommandName.Of(command), refusal.Message);
            error = refusal.Error;
            _passed.Clear();
            _closer.Close(_received);
        }
        catch (Exception failure)
        {
            // Not the client's doing, and not the other clients' either: they keep their queues.
            if (_budget.TryTake(out int leftOut))
            {
                if (leftOut > 0)
                {
                    _logger.LinesLeftOut(leftOut);
                }

                _logger.CommandFailed(Number, VfioUserCommandName.Of(command), failure);
            }

            return "a command failed in a way that nobody foresaw";
        }

        string? end = (_header.Flags & MessageFlags.NoReply) != 0 ? null : Send(error, replyBytes);
        if (end is null && command == VfioUserCommand.Version && !IsOpen)
        {
            end = $"VERSION was refused with error {error}";
        }

        return end;
    }

    private string? Send(int error, int replyBytes)
    {
        var header = new MessageHeader
        {
            Id = _header.Id,
            Command = _header.Command,
            Size = (uint)(MessageHeader.SizeInBytes + replyBytes),
            Flags = error == 0 ? MessageFlags.Reply : MessageFlags.Reply | MessageFlags.Error,
            Error = (uint)error,
        };
        MemoryMarshal.Write(_reply, header);
        try
        {
            int sent = _socket.Send(_reply.AsSpan(0, (int)header.Size), CollectionsMarshal.AsSpan(_passed), wait: false);
            return sent == header.Size ? null : "it does not read its replies";
        }
        catch (LinuxException failure)
        {
            return failure.Error == Errno.EAGAIN ? "it does not read its replies" : failure.Message;
        }
    }
}
