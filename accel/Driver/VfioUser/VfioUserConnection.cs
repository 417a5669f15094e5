using System.Diagnostics;
using System.Runtime.InteropServices;
using WarpDrive.Abi.VfioUser;
using WarpDrive.Linux;

namespace WarpDrive.Driver.VfioUser;

/// <summary>
/// The client's end of the socket: one command at a time, and its reply within the timeout. Whatever shows that the two ends
/// no longer agree on where a message starts (a reply that is late, cut off, or for another command) breaks it for good.
/// Any thread may call any member; <see cref="Dispose"/> waits for a call.
/// </summary>
internal sealed class VfioUserConnection : IDisposable
{
    private const int CallsPerTimeout = 16;
    private const int ReadAtOnceBytes = 65536;

    private readonly Lock _lock = new();
    private readonly UnixSocket _socket;
    private readonly string _path;
    private readonly TimeSpan _timeout;
    private TimeSpan _patience;     // for the next answer, at most the timeout
    private ushort _id;
    private volatile bool _isBroken;
    private bool _isDisposed;       // under the lock

    /// <summary>Connects.</summary>
    /// <param name="path">Of the server's socket.</param>
    /// <param name="timeout">For each call; many calls may take a sixteenth of it on average.</param>
    /// <exception cref="LinuxException">ENOENT: no such file; ECONNREFUSED: nobody listens; EACCES.</exception>
    public VfioUserConnection(string path, TimeSpan timeout)
    {
        _path = path;
        _timeout = timeout;
        _patience = timeout;
        _socket = UnixSocket.Connect(path, timeout);
    }

    /// <summary>The socket's descriptor.</summary>
    public FileDescriptor File => _socket.File;

    /// <summary>Whether no further call can succeed.</summary>
    public bool IsBroken
    {
        get
        {
            // A call under way owns what can be read, and finds out itself.
            if (!_isBroken && _lock.TryEnter())
            {
                try
                {
                    // Between calls a server has nothing to say: bytes are as wrong as the end of them.
                    _isBroken = _isBroken || Poll.WaitReadable(_socket.File, null, TimeSpan.Zero) != 0;
                }
                finally
                {
                    _lock.Exit();
                }
            }

            return _isBroken;
        }
    }

    /// <summary>Sends a command and waits for its reply.</summary>
    /// <param name="command">Which.</param>
    /// <param name="payload">What follows the header.</param>
    /// <param name="descriptors">Travel with it; they stay the caller's.</param>
    /// <param name="minReplyBytes">The least that the reply's payload must have.</param>
    /// <param name="what">What it is about, for messages: <c>region 3</c>.</param>
    /// <exception cref="LinuxException">The server refused, the connection is over, or ETIMEDOUT: no answer in time.</exception>
    /// <exception cref="VfioUserProtocolException">The reply is no reply to this.</exception>
    public VfioUserReply Call(
        VfioUserCommand command,
        ReadOnlySpan<byte> payload,
        ReadOnlySpan<FileDescriptor> descriptors,
        int minReplyBytes,
        string what)
    {
        string call = $"vfio-user {VfioUserCommandName.Of(command)}";
        lock (_lock)
        {
            if (_isBroken)
            {
                throw new LinuxException(call, $"{_path}, whose connection is over", Errno.ENODEV);
            }

            // A queue asks more than a dozen questions while it is opened, and a pool opens many queues: a server that took nearly the timeout for
            // each answer would hold the pool up for minutes.
            _patience += _timeout / CallsPerTimeout;
            _patience = _patience < _timeout ? _patience : _timeout;
            long start = Stopwatch.GetTimestamp();
            var received = new List<FileDescriptor>();
            byte[] reply;
            uint error;
            try
            {
                Send(command, payload, descriptors, call);
                (reply, error) = Receive(command, call, start, received);
            }
            catch
            {
                _isBroken = true;
                ForeignDescriptors.Close(received);
                throw;
            }

            _patience -= Stopwatch.GetElapsedTime(start);

            if (error != 0)
            {
                ForeignDescriptors.Close(received);
                throw new LinuxException(call, $"{_path}, {what}", (int)error);
            }

            if (reply.Length < minReplyBytes)
            {
                ForeignDescriptors.Close(received);
                throw Wrong(call, $"with {reply.Length} bytes; {minReplyBytes} or more are needed");
            }

            return new VfioUserReply(reply, received);
        }
    }

    /// <summary>A sentence about a reply that makes no sense.</summary>
    public VfioUserProtocolException Wrong(string call, string seenAndAllowed) =>
        new($"The server at '{_path}' answered {call} {seenAndAllowed}.");

    /// <summary>Closes the socket. It is emptied first: it would close descriptors that nobody received, and could wait for them.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            _isBroken = true;
            _socket.ShutDown();
            var unread = new List<FileDescriptor>();
            byte[] bytes = new byte[ReadAtOnceBytes];
            try
            {
                while (_socket.Receive(bytes, unread, wait: false) > 0)
                {
                    ForeignDescriptors.Close(unread);
                }
            }
            catch (LinuxException)
            {
                // Nothing more is there.
            }

            ForeignDescriptors.Close(unread);
            _socket.Dispose();
        }
    }

    private void Send(VfioUserCommand command, ReadOnlySpan<byte> payload, ReadOnlySpan<FileDescriptor> descriptors, string call)
    {
        var header = new MessageHeader { Id = ++_id, Command = command, Size = (uint)(MessageHeader.SizeInBytes + payload.Length) };
        byte[] message = new byte[header.Size];
        MemoryMarshal.Write(message, header);
        payload.CopyTo(message.AsSpan(MessageHeader.SizeInBytes));
        try
        {
            int sent = _socket.Send(message, descriptors, wait: true);
            while (sent < message.Length)
            {
                sent += _socket.Send(message.AsSpan(sent), [], wait: true);
            }
        }
        catch (LinuxException failure) when (failure.Error == Errno.EAGAIN)
        {
            throw new LinuxException(call, $"{_path}, {_timeout.TotalMilliseconds:0} ms", Errno.ETIMEDOUT);
        }
        catch (LinuxException failure)
        {
            throw new LinuxException(call, _path, failure.Error);
        }
    }

    /// <summary>Receives the whole message, whatever it says: an error reply of some servers has a payload too.</summary>
    private (byte[] Payload, uint Error) Receive(VfioUserCommand command, string call, long start, List<FileDescriptor> received)
    {
        Span<byte> headerBytes = stackalloc byte[MessageHeader.SizeInBytes];
        Fill(headerBytes, start, call, received);
        var header = MemoryMarshal.Read<MessageHeader>(headerBytes);
        MessageFlags type = header.Flags & MessageFlags.TypeMask;
        if (type != MessageFlags.Reply)
        {
            throw Wrong(call, $"with a message of type {(uint)type}; 1, a reply, is allowed");
        }

        if (header.Id != _id)
        {
            throw Wrong(call, $"with message id {header.Id}; {_id} is allowed");
        }

        if (header.Command != command)
        {
            throw Wrong(call, $"with command {(ushort)header.Command}; {(ushort)command} is allowed");
        }

        if (header.Size is < MessageHeader.SizeInBytes or > ProtocolCapabilities.MaxMessageBytes)
        {
            throw Wrong(call, $"with message size {header.Size}; {MessageHeader.SizeInBytes} to {ProtocolCapabilities.MaxMessageBytes} are allowed");
        }

        byte[] payload = new byte[header.Size - MessageHeader.SizeInBytes];
        Fill(payload, start, call, received);
        if ((header.Flags & MessageFlags.Error) == 0)
        {
            return (payload, 0);
        }

        // The specification lets a server refuse without saying why.
        return (payload, header.Error is 0 or > 4095 ? Errno.EPROTO : header.Error);
    }

    private void Fill(Span<byte> buffer, long start, string call, List<FileDescriptor> received)
    {
        while (!buffer.IsEmpty)
        {
            TimeSpan left = _patience - Stopwatch.GetElapsedTime(start);
            if (Poll.WaitReadable(_socket.File, null, left) == 0)
            {
                throw new LinuxException(call, $"{_path}, {_patience.TotalMilliseconds:0} ms", Errno.ETIMEDOUT);
            }

            int count;
            try
            {
                count = _socket.Receive(buffer, received, wait: false);
            }
            catch (LinuxException failure) when (failure.Error == Errno.EAGAIN)
            {
                continue;
            }
            catch (LinuxException failure)
            {
                throw new LinuxException(call, _path, failure.Error);
            }

            if (count == 0)
            {
                throw new LinuxException(call, $"{_path}, which closed the connection instead of an answer", Errno.ECONNRESET);
            }

            // As in the server: no peer fills this process with descriptors, byte by byte.
            if (received.Count > ProtocolCapabilities.Emulated.MaxMessageDescriptors)
            {
                throw Wrong(call, $"with {received.Count} descriptors; at most {ProtocolCapabilities.Emulated.MaxMessageDescriptors} are allowed");
            }

            buffer = buffer[count..];
        }
    }
}
