namespace WarpDrive.Linux;

/// <summary>A listening socket file. Disposing closes it and removes the file.</summary>
public sealed unsafe class UnixListener : IDisposable
{
    private readonly string _path;

    private UnixListener(FileDescriptor file, string path)
    {
        File = file;
        _path = path;
    }

    /// <summary>The descriptor to wait on: readable when somebody connects. Owned by this object.</summary>
    public FileDescriptor File { get; }

    /// <summary>Creates the socket file and listens on it.</summary>
    /// <param name="path">At most 107 bytes.</param>
    /// <param name="mode">Permissions of the socket file: who may write to it may connect.</param>
    /// <exception cref="LinuxException">EADDRINUSE: the file exists; EACCES; ENOENT: no such directory.</exception>
    public static UnixListener Bind(string path, UnixFileMode mode)
    {
        Libc.SockAddrUn address = UnixSocket.ToAddress(path, out uint length);
        FileDescriptor file = UnixSocket.Open();
        try
        {
            file.SetNonBlocking();
            if (Libc.bind(file.Number, &address, length) != 0)
            {
                throw new LinuxException("bind", path);
            }

            try
            {
                // Before listen: until then nobody can connect, whatever the umask left open.
                if (Libc.chmod(path, (uint)mode) != 0)
                {
                    throw new LinuxException("chmod", path);
                }

                if (Libc.listen(file.Number, 128) != 0)
                {
                    throw new LinuxException("listen", path);
                }
            }
            catch
            {
                RemoveFile(path);
                throw;
            }

            return new UnixListener(file, path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Takes one waiting connection, or returns null when there is none.</summary>
    /// <exception cref="LinuxException">EMFILE and the like: no descriptor left.</exception>
    public UnixSocket? TryAccept()
    {
        int fd = Libc.accept4(File.Number, null, null, Libc.SOCK_CLOEXEC);
        if (fd >= 0)
        {
            return new UnixSocket(new FileDescriptor(fd));
        }

        int error = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
        return error is Errno.EAGAIN or Errno.EINTR or Errno.ECONNRESET or 103 /* ECONNABORTED */
            ? null
            : throw new LinuxException("accept4", _path, error);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        File.Dispose();
        RemoveFile(_path);
    }

    /// <summary>A file that cannot be removed, because its directory is gone perhaps, is the next server's stale socket.</summary>
    private static void RemoveFile(string path)
    {
        try
        {
            System.IO.File.Delete(path);
        }
        catch (IOException)
        {
        }
        catch (UnauthorizedAccessException)
        {
        }
    }
}
