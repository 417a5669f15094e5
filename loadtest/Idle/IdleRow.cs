namespace WarpProxy.LoadTest.Idle;

/// <summary>What connections at rest cost one server.</summary>
/// <param name="Server">Its name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Connections">At rest when the memory was read.</param>
/// <param name="Ended">Of those that were opened, how many the server has closed meanwhile.</param>
/// <param name="BytesBefore">Resident memory of all its processes, after some connections that are gone.</param>
/// <param name="BytesWith">With all connections.</param>
internal sealed record IdleRow(string Server, string Version, int Connections, int Ended, long BytesBefore, long BytesWith)
{
    /// <summary>What each adds; 0 when there are none.</summary>
    public double BytesPerConnection => Connections == 0 ? 0 : (double)(BytesWith - BytesBefore) / Connections;
}
