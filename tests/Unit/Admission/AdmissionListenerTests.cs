using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using WarpProxy.Admission;
using WarpProxy.Configuration;
using WarpProxy.Listeners;

namespace WarpProxy.Tests.Unit.Admission;

/// <summary>When a listener takes the next connection.</summary>
public sealed class AdmissionListenerTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _room = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _isAsked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Socket _client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private ListenerAdmission? _admission;
    private AdmissionListener? _listener;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_listener is not null)
        {
            await _listener.DisposeAsync();
        }
    }

    [Fact]
    public async Task Connection_stays_in_the_kernel_while_there_is_a_crowd()
    {
        AdmissionListener listener = Listen("https");
        await _client.ConnectAsync(listener.EndPoint).WaitAsync(Patience);
        Task<ConnectionContext?> accepting = listener.AcceptAsync().AsTask();
        await _isAsked.Task.WaitAsync(Patience);
        Assert.Equal((false, 0L), (accepting.IsCompleted, _admission!.AcceptedCount));

        _room.SetResult();
        await using ConnectionContext? connection = await accepting.WaitAsync(Patience);
        Assert.NotNull(connection);
        Assert.Equal(1, _admission.AcceptedCount);
    }

    [Fact]
    public async Task Connection_without_a_handshake_is_taken_whatever_crowd_there_is()
    {
        AdmissionListener listener = Listen("http");
        await _client.ConnectAsync(listener.EndPoint).WaitAsync(Patience);
        await using ConnectionContext? connection = await listener.AcceptAsync().AsTask().WaitAsync(Patience);
        Assert.NotNull(connection);
        Assert.False(_isAsked.Task.IsCompleted);
    }

    [Fact]
    public async Task Listener_that_waits_for_a_crowd_can_be_closed()
    {
        AdmissionListener listener = Listen("https");
        Task<ConnectionContext?> accepting = listener.AcceptAsync().AsTask();
        await _isAsked.Task.WaitAsync(Patience);
        await listener.UnbindAsync();
        Assert.Null(await accepting.WaitAsync(Patience));
    }

    private AdmissionListener Listen(string scheme)
    {
        string url = $"{scheme}://127.0.0.1:0";
        Assert.True(ListenAddress.TryParse(url, "", out ListenAddress? address, out _));
        var process = new ConnectionAdmission(new LimitOptions(), 100, TimeProvider.System, whenRoom: () =>
        {
            _isAsked.TrySetResult();
            return _room.Task;
        });
        _admission = process.Add(new Listener("a", address, new ListenerOptions { Url = url }));
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        var connections = new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), NullLogger.Instance);
        return _listener = new AdmissionListener(socket, connections, _admission, TimeProvider.System);
    }
}
