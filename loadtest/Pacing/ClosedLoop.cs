namespace WarpProxy.LoadTest.Pacing;

/// <summary>
/// A new operation as soon as there is room, which is when another has ended: the load follows the server, and a server that stops is
/// measured once per connection only.
/// </summary>
internal sealed class ClosedLoop : IPacing
{
    public bool IsOpenLoop => false;

    public long NextDue => 0; // the past

    public bool TryTake(long now, out long intended)
    {
        intended = now;
        return true;
    }
}
