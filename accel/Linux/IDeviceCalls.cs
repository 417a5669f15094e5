namespace WarpDrive.Linux;

/// <summary>
/// The system calls that the file of a device takes, and nothing else that a driver does: what stands behind it is the kernel (<see cref="KernelDeviceCalls"/>)
/// or something that behaves as the kernel does. Any thread may call any member.
/// </summary>
/// <remarks>Every member but <see cref="Close"/> and <see cref="Unmap"/> throws <see cref="LinuxException"/> with the error number that the device refused with.</remarks>
public interface IDeviceCalls
{
    /// <summary>Opens the file for reading and writing; children do not inherit it.</summary>
    /// <param name="path">Of the device: <c>/dev/hisi_hpre-0</c>.</param>
    /// <returns>To be given to <see cref="Close"/>.</returns>
    FileDescriptor Open(string path);

    /// <summary>ioctl(2) with a pointer to an argument, or without one.</summary>
    /// <param name="file">Of <see cref="Open"/>, or what such a call returned.</param>
    /// <param name="request">The number.</param>
    /// <param name="argument">Read and written by the device; empty: a null pointer.</param>
    /// <param name="name">For people: <c>UACCE_CMD_START_Q</c>.</param>
    /// <returns>What the call returned: 0 mostly. Where that is a new descriptor, it is the caller's, to be given to <see cref="Close"/> too.</returns>
    int Control(FileDescriptor file, uint request, Span<byte> argument, string name);

    /// <summary>ioctl(2) with a number as its argument.</summary>
    /// <inheritdoc cref="Control(FileDescriptor, uint, Span{byte}, string)"/>
    int ControlByValue(FileDescriptor file, uint request, long argument, string name);

    /// <summary>Reads what the device shows at a place in its file (pread(2)).</summary>
    /// <param name="file">The device.</param>
    /// <param name="offset">Means what the device says.</param>
    /// <param name="data">Filled whole, or the call failed.</param>
    void Read(FileDescriptor file, long offset, Span<byte> data);

    /// <summary>As a store to a place in the device's file (pwrite(2)).</summary>
    /// <param name="file">The device.</param>
    /// <param name="offset">Means what the device says.</param>
    /// <param name="data">Taken whole, or the call failed.</param>
    void Write(FileDescriptor file, long offset, ReadOnlySpan<byte> data);

    /// <summary>Maps a part of what the device offers, shared and writable.</summary>
    /// <param name="file">The device.</param>
    /// <param name="offset">Means what the device says; a multiple of the page size.</param>
    /// <param name="length">Bytes.</param>
    /// <returns>To be given to <see cref="Unmap"/>.</returns>
    MappedMemory Map(FileDescriptor file, long offset, int length);

    /// <summary>Sleeps until the device has something to say (poll(2), POLLIN) or the time is over.</summary>
    /// <returns>Whether it has.</returns>
    bool WaitReadable(FileDescriptor file, TimeSpan timeout);

    /// <summary>Takes a mapping away. No thread may use it any more.</summary>
    void Unmap(MappedMemory memory);

    /// <summary>Closes a descriptor; mappings stay.</summary>
    void Close(FileDescriptor file);
}
