namespace WarpDrive.Linux;

/// <summary>A socket of a <see cref="SocketPoller"/> became ready: for reading, for writing, or by its end. To be tried, not trusted.</summary>
/// <param name="Tag">What it was added with.</param>
public readonly record struct SocketEvent(ulong Tag);
