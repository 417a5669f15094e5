using System.Net.Sockets;
using WarpProxy.Admission;
using WarpProxy.Tests.Unit.Proxy;

namespace WarpProxy.Tests.Unit.Admission;

/// <summary>What happens where no more files may be opened.</summary>
public sealed class PatientSocketTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _unbound = new();
    private readonly Socket _connection = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Queue<SocketError> _errors = [];
    private int _asked;
    private int _pauses;

    public void Dispose()
    {
        _unbound.Dispose();
        _connection.Dispose();
    }

    [Theory]
    [InlineData(SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.NoBufferSpaceAvailable)]
    public async Task Kernel_is_asked_again_after_a_pause_alone(SocketError error)
    {
        _errors.Enqueue(error);
        Task<Socket> taken = Make().TakeAsync(default).AsTask();
        Assert.Equal((false, 1, 1), (taken.IsCompleted, _asked, _pauses));
        _time.Advance(PatientSocket.Pause);
        Assert.Same(_connection, await taken.WaitAsync(Patience));
        Assert.Equal((2, 1), (_asked, _pauses));
    }

    [Fact]
    public async Task After_a_client_that_has_gone_the_next_is_taken_at_once()
    {
        _errors.Enqueue(SocketError.ConnectionReset);
        Assert.Same(_connection, await Make().TakeAsync(default).AsTask().WaitAsync(Patience));
        Assert.Equal((2, 0), (_asked, _pauses));
    }

    [Fact]
    public async Task Pause_ends_when_it_listens_no_more()
    {
        _errors.Enqueue(SocketError.TooManyOpenSockets);
        Task<Socket> taken = Make().TakeAsync(default).AsTask();
        await _unbound.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taken.WaitAsync(Patience));
        _errors.Enqueue(SocketError.OperationAborted);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Make().TakeAsync(default).AsTask().WaitAsync(Patience));
    }

    private PatientSocket Make() => new(
        _ =>
        {
            _asked++;
            return _errors.TryDequeue(out SocketError error) ? throw new SocketException((int)error) : new ValueTask<Socket>(_connection);
        },
        _time, _unbound.Token, () => _pauses++);
}
