using System.Text;
using WarpProxy.LoadTest.Http;

namespace WarpProxy.Tests.Unit.LoadTest;

public sealed class ResponseReaderTests
{
    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, true)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-LENGTH:0\r\n\r\n", 200, true)]
    [InlineData("HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n", 204, true)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", 304, true)]
    [InlineData("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", 404, false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, false)]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", 200, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1A;name=value\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n", 200, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n1\r\nx\r\n0\r\nDigest: y\r\nMore: z\r\n\r\n", 200, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n2\r\nxy\r\n0\r\n\r\n", 200, true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", 201, true)]
    public void End_of_a_response_is_found_however_it_is_cut(string response, int status, bool isKept)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(response);
        byte[] withNext = [.. bytes, .. "HTTP/1.1 500 "u8];
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var reader = new ResponseReader();
            reader.Begin(isHead: false);
            int taken = reader.Take(withNext.AsSpan(0, cut));
            Assert.Equal(cut, taken);
            Assert.Equal(cut == bytes.Length, reader.IsDone);
            taken += reader.Take(withNext.AsSpan(cut));
            Assert.Equal((true, bytes.Length, status, isKept), (reader.IsDone, taken, reader.Status, reader.KeepsConnection));
        }
    }

    [Fact]
    public void Response_byte_by_byte_and_then_another()
    {
        var reader = new ResponseReader();
        foreach (string body in new[] { "one", "three" })
        {
            reader.Begin(isHead: false);
            Assert.False(reader.HasBegun);
            foreach (byte one in Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: {body.Length}\r\n\r\n{body}"))
            {
                Assert.False(reader.IsDone);
                Assert.Equal(1, reader.Take([one]));
                Assert.True(reader.HasBegun);
            }

            Assert.True(reader.IsDone);
        }
    }

    [Fact]
    public void Body_without_a_length_ends_with_the_connection()
    {
        var reader = new ResponseReader();
        reader.Begin(isHead: false);
        reader.Take("HTTP/1.1 200 OK\r\nServer: x\r\n\r\nsome body"u8);
        Assert.False(reader.IsDone);
        Assert.True(reader.TakeEnd());
        Assert.False(reader.KeepsConnection);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    public void End_of_the_connection_in_the_middle_is_no_response(string begin)
    {
        var reader = new ResponseReader();
        reader.Begin(isHead: false);
        reader.Take(Encoding.ASCII.GetBytes(begin));
        Assert.False(reader.TakeEnd());
        Assert.False(reader.IsBroken);
    }

    [Fact]
    public void Response_to_head_has_no_body_whatever_its_length_says()
    {
        var reader = new ResponseReader();
        reader.Begin(isHead: true);
        Assert.Equal(41, reader.Take("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"u8));
        Assert.True(reader.IsDone);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("HTTP/2 200\r\n\r\n")]
    [InlineData("HTTP/1.1 99 x\r\n\r\n")]
    [InlineData("HTTP/1.1 600 x\r\n\r\n")]
    [InlineData("HTTP/1.1 2x0 x\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy")]
    public void What_is_not_http_is_told(string bytes)
    {
        byte[] all = Encoding.ASCII.GetBytes(bytes);
        for (int cut = 0; cut <= all.Length; cut++)
        {
            var reader = new ResponseReader();
            reader.Begin(isHead: false);
            reader.Take(all.AsSpan(0, cut));
            reader.Take(all.AsSpan(cut));
            Assert.True(reader.IsBroken, $"cut at {cut}");
        }
    }

    [Fact]
    public void Head_without_an_end_is_refused_at_32_KiB()
    {
        var reader = new ResponseReader();
        reader.Begin(isHead: false);
        reader.Take("HTTP/1.1 200 OK\r\nX: "u8);
        byte[] more = new byte[1000];
        Array.Fill(more, (byte)'x');
        int taken = 0;
        while (!reader.IsBroken)
        {
            taken += reader.Take(more);
            Assert.InRange(taken, 1, 32 * 1024);
        }
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        byte[] response = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"u8.ToArray();
        var reader = new ResponseReader();
        Read();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            Read();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Read()
        {
            reader.Begin(isHead: false);
            reader.Take(response);
        }
    }
}
