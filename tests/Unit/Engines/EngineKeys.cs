namespace WarpProxy.Tests.Unit.Engines;

/// <summary>One fixed key of each size, made by <c>openssl genrsa -traditional</c>. Nobody's secrets.</summary>
internal static class EngineKeys
{
    private static readonly Dictionary<int, string> Pems = new()
    {
        [128] = """
            -----BEGIN RSA PRIVATE KEY-----
            MIICWwIBAAKBgQCqFlWZVGZUN2HktcFim+Ig5tCzbT5hITytHI9RlYCUNGl2TaRr
            N9QC4Eai5J740BzjBl0On4eNU664hsaOn3ky9mTIs/sxERNNtkuk/3psrzgBwQC3
            SF7tbi4/iyaQrNN93fuwmWt2ZlxIrX1Kh6V8GERpMfixugnPhi8xK249nQIDAQAB
            AoGARHgFMVomb1R0FeuM07NIzlHcRb5+U/9bO5y5nO//+Kk4oyUSQQ8SS64ZAU3j
            KOouFr3jDBXwLVY4iZPHrnZIBTGgejQvyRtFA6AMHR41/dg8W5xNIeZl6zndGn3R
            OrwJFiUjHkXwb7Qw33E/dY4JWXbJQRV+XOCSSpZFj45pDQECQQDc6SxbTK3lbIw7
            rpunAVaj7af/oOoJfUrEhI+WmEXzzv9txVRxBWpYjfZdjglnExRXM6Nih5w55bSI
            6fBBbxV9AkEAxRqJpp75Xo4jiHkBZ6h1XrNTU0AvfUH+40KXzchzJ63R2SJ5LkCx
            FiBDHYGJsg8GCakouK63slYHYfQYLb3CoQJALqDE7Qx1VAyiWOKVFh4RNI6wPCOx
            4ojgpDQ6vpWrhje18GyLU0PKW6CzVLHrSCddzr4miWCIWCwk/BUs0hLpXQJAFwjZ
            62IKzJUZ6/oQQvf5935Hj6QhqKbMzexbZ040vv9eVdzkgpZG28obbdhUqj19PCXL
            v4GTsEDDjhwDs1zI4QJAXwuDTGi/PtWaSKgAcVRiyKUrUmsDquzNYNwq2ITTF+dk
            iSjh8ExJhszXJW6Bucy1GWhTEc0RjF1TMdu+kIktPQ==
            -----END RSA PRIVATE KEY-----
            """,
        [256] = """
            -----BEGIN RSA PRIVATE KEY-----
            MIIEpQIBAAKCAQEAtM25qVfY0AlGgMloxzaR9RfAe0JWHRfA0edWJZxSrC7KWeuE
            CWpA1JT54BmH/NXFM8FoHPuDqS+TtSBfutvJCxfmhaEgTp8ci+cyewIdhtjPIiWt
            /DJ2UcMB+8nTJq8aHgbpLBIu/MnanEnvB7laJ9iU4MxNlgLz6PyKtDiXADQfZHAC
            ZTGrEuVs9DhS1d8exwMP/XCPK/x6yvojlZEeT88rJwjC/uiVLkvAkH1JGj90bKcU
            bfL5JgeLOU4aGkT8VGLq1FzXEU6+h9l28x9f0NNXwxTpZgrMOmdwvyyhDipavgEq
            UnQyKdA644AP33yfoiSwx5NxvQ2W/kN8AsfPbwIDAQABAoIBABe29Cc2EoYW8Vxr
            DocyrSpMlz6TkN/4AZ6GjVIZku5qpLfuoD7r5Nz9PVkbgC61i0wijhlfFAHY77LO
            MEA+G7yMwfu9CpPFYuUmygRAXscVIPYFozB1HffTcCsqabulM/PETEkviWI2x6nA
            OM32jdC0I7LomTSX5o4ksby5v3STKMb3KLrU5OSoVI99cwr1IH0opWoqfUPee0XN
            iVUScX3eNUYr/b6JqjpHakPW3qfbS8XldZDno74zNm7ZZz+Py0HyndiQxGpipDTW
            304nnqU6aXTPLvOFRc0hthTWT9XwLuKkB16sjyLixjbLe2DiDgFwcJvq7PgGIiD9
            HYz8HuECgYEA8fjAyKclbh2JtmkMriLgyPv5WPEg03FvsCaUiD4P8fcXomdpr5xH
            NzFas0SMFcZ89EHL2Tn8HF5QaVwFp15z98PHx8npAencN0T/olrG/HOaJsjHhI1p
            ZvQV7JBwcryVv8oxISL/1rMcniM1JIF50YechaCX9NiX0RTb0trdOvsCgYEAv0kj
            27F9xcl71zB01HTOGx2O0gF5Uy+J1sjTOkvWRXkCQE8hKbSbJlu3YRBYht8yfUXc
            cEMtKgmfaFM4x8KimBvtOGN682/nUB8kCoc5J0zArQKfPXRSBNSwAYukGPzhxhxY
            +E7n2tM0eRYDJC3XegQuw4Cyjo3h/mc5PtVukx0CgYEAmQCR5k7KfDZxPcZvHi0v
            teaeZH8UIp834EqE4SFdM8LqTubVDRXkciHjGDff3GUF3e082L6xi76XWge2C37O
            FXzWdp5Vl8AoX0ph2mdMK5Vtg9ixUD+axl7Q/iTW9bYJepx/NFTNMRVQoy3gDJVS
            UgtODbDeZRQP60UlOs7p1MECgYEAnISDU8tqx4Ey1QRwRDuDPgq0hz/vf1Khrd7L
            f6L4JAZ9AhP9ZbvDS+K2LTULyugszvZwBmfhN8mB5wJZrpKjKmWHeKFlxHWnRxcE
            DZ1R9cdGzQodNFLOnedOUSVq04twTgN6BUvDSXmSMRYC4gKkktGDVjMjZ6PO7LSX
            0cMgZD0CgYEAq4TnpqQbdHQNX8cF382FbAHCSllxIFyaDhdx9qNTGb0c3/V9CCjK
            /BFl1Lv85+EP3rmHqs7zZLNSDYmL7S4gO7HLSctgF/DJi1O8IDuXwBGy15xbT+rR
            fqpQ/9ZGKdfDRESr0bnrgLv17je4wKkNR13p8kLVvYfIneTbnSfOU/U=
            -----END RSA PRIVATE KEY-----
            """,
        [384] = """
            -----BEGIN RSA PRIVATE KEY-----
            MIIG5AIBAAKCAYEA2v1VvlM1yXXL0CRYPBKduCkGQbtjkMmtGd4Q3k+Y8cjdB8C0
            7fLjXTECi6OCGUZzcqAxfhmqZGMa7/drNTIPP8gkILsJyj15IdV1JfXW4Ll5XIET
            IfZNtXXk8C5qSkv9FGul+dwZyeVa7HWVLHNr5o6mzsIQBmQ8Yo57vJmvc6RhY3rx
            lgc+0Rw8fy8qyETn8RW51CFLzCJXQnA9aYbdiF4TTWA+sVr3MZboJj6aTsfKTzSw
            mix2TbjuOEAjG4W2XbUkOpeHcJVi/IjeQl9XXQqWu4BsxzWfAPRc5ukdaQBqYAQL
            2ZbgOCMe35363ZnIAtf0RTeyq9U89K7igNb+ajLRxsW7GZfq49SF0cla8MGPmrAK
            bDyr0X5SZN0Jcxd44UgFHguzMeUdEuCfRgoHWeZ0e1uyvGEXrY2ni6TDUQMuOQLS
            b4iDjnPy4QW+FvA5I6T5J3bt7dDZdu9egtgtVPwThMfkjrB+DDIixnZTH9e8JFrS
            95YKFIrU6uisXgg1AgMBAAECggGAHIFU76sPqYtkjhGpDZrDvnTSnGxKu85QsrkJ
            +5IjX7esc8WlF4MiDt+iC/Cq7uTRgsZw4s/u8tXGrB1J7nj3bK896qfGELX7Rkjt
            kJUlVQe3kS+5AJb5ywjPVedIzSaCiS2xA2rfzXzGHtj4Y7qbfT2s32V55gcWqCKR
            Xz2nDbfEOImImGWViu0wv8JxQHPduC9CiucRoX8H2j1XdRzJyeYq/4urZXUoj6Mr
            0UydU+tkPXanlU370Uak9Zv9pee71VT3DjQX6Rz5mFje9TlxuzIwGmBkrhbe/N9V
            9QBkDGp09/U8Z5C4sI1Zs6bET/XqWdBjcnfl+SIGIdZbjIDCBQom71jgiqSb4LrB
            +gazY4oqhwvYoGuNAWezCE7SX6RmfwXIYdoG4nNyLAAdurp5fpgFeBJNwmsT2IP+
            5FMzghtehWeSN0W6B45oSrLiD6ZYU/AAWf5+UP/JI33YsIsUAfY9Q++Aia2qI7Zt
            sC/jO9yZRN7YA987ZY5ETOKTQMkpAoHBAPhxrR+1/GOsCGLS2JA+Wi827aEDlS2/
            BwrB0yT+BOvnrU1Ryr7BmB3NgfNoLuYl5Zv39r2pwMBoJQCRb6E18qiSBV4stApM
            sX/ihmf0L1T0LpoKIQXs3BMql+2eC26y3vR/o2MX7K68qVrTbbyXSJiX8BbrtU7p
            kQ9ke5XuSmTDxFAm7KqYEdOGyOUsKgKjGP8V/KjfpXYGEZVB32aVC71JMZ6xXZ6l
            NOJIP2ytvnoWWeQsrgw/NCQkVB8qs/gA6QKBwQDhplVkafBDzyCRdaTDfAud3j6q
            tDUOR5MV3qr3qWOm93ZC+3cx1ND9FPVSaDK1/Q/C3j3yxD2d2k291DMw4m1zEv3G
            B3jLJ1kChEkqzuxq0XsLRmzU2jcze9/6GPkJZ12OdLB0gEsbryyTluAzstpU1qEE
            qawoBfS/lKjXKxH1veQCI4xRIN6vRvxaDuWTUzXn6lFaUnaCdRAuHH6kHOITv7gw
            O3/EgJjGJXlew0OQHcr35HmwQFu7wnKghIlJXW0CgcBzjON5WToO3Yd09x20UNu/
            E+wHtFPg1/UdgrKChQai9bj7uivy9rWaPufO3sjZUAzvsq923QoCMy3qiroBn8bB
            slB+0YnXNH5lvWTH2qFdAMjf6hAb4mMlIu1Qne4xSU47J1ZFk24Ig0S9MpLaYP5p
            wljvQCeukSFfqFt2i0LchNS8dq4iVeIMoKa1OAo9+b95fK9rl8EsGHx7EA0od+/i
            1LUYWuPxEmN7TyD4mgJ6ZAThBArbNVY57Q+XA1R652kCgcEAw1qfnxlgWzRc+9Gf
            3WXtILWiB2OQc1Zf7pUh6twJXCnthrvyS3/1lsWoRbnT/V6jYI/Ljft7ZMf0eh3W
            W8IMA44zilg5qZfdJaKlPZx7bVcCcZZ87iIlnDrog7tPD2cfxg8cHSBc5hDYRMZg
            QCHdh4lxSXojg1r0s0/ehLnTCK9nULq55hrQ72pDWyx+cPefObLQz6OI2hTC90jQ
            EwC2cWaP7aH1UYgLu7ABzZq7SW+hos940rBFOt5zIqjbulpZAoHBAPbjnZr780Dn
            dafXCl9YNaXcO05Kdy7fQmCyisiFmv2FmOWpc1uSHik0XnYX5oXGPhiAs1i3pr+x
            1E7q5XWDslv/fMtcdwGBOmEbEAo9wcLEAEnp0gGoCXhrNczfU3qf9+ujZ53ByPU1
            rEh88p6IXlIt5G9WCgo5M2JguCRN6vHMh997HYsq2q+vdAaq6D5nSRNfB6pxVcNE
            eU4n80KM7KphiepylDwkre5gob5iBfFPQAVuo985ZHeoks6eUm13ZA==
            -----END RSA PRIVATE KEY-----
            """,
        [512] = """
            -----BEGIN RSA PRIVATE KEY-----
            MIIJKAIBAAKCAgEA6SzHMC/v551HHv1PkwdPa9PwhvXlSmd/OkYuKh4KWTMMXolp
            bipdvf+N8SSFRpn7Wi/8OBni92ZZdQSq9f6xTuGvOJ7M45HwIft6wFp4V2pxaKOx
            icqeHTX4lyArUx6i+zvwq+GMewGr6T1/+iLT4otqTRRzbx/69d22Txnz9s1TGXNu
            bO6Dg1gTJSxJ7jdqwmx7opNGt9CagaHYGc4owC2oaKyDlh5l8BFeV7U7OFDZiXkN
            yfgNLBTjmfyh0WV4IAs5fW1pO5Y9/hrlZavaLj/GVIvEi3gu0aioUNTaf8nZY22D
            Q3+GMzyOIywLmSBFuLxiXjLF/DXnR0jKfz/IZYjqRrCyKLTWi1v9M8x4Me3jnv25
            v5nzbUDViF+Y3G/X9JhAHSuOJYbWVT12smq8aPXk5Q/SihK3dzj1+KaEHoZOMUaT
            wDRUjTC6cqc1MauxyfoKMrDTTSC/39LtrTTkeSztes17vQh0U3xmuAhvvXcjAyue
            Gj0RzJYbO68EQ3w9W98tUCa/b2GWQQRrSrvE8u78ER2Md9cwdA1fWV71O5RqcTQ1
            NT8ZhOZRcvKppPPoOQdGUAwLanKuLIphf50f4kaohIi1Xyf1TkfbkyPLmAQn3qhQ
            3i2bHMD0s94/5whgh/88GnTw5or/BhwuyV4os9Hg1pYcnU7NgxtuFu234bcCAwEA
            AQKCAgAF70HSlCXC+1nIDCJuV41J7Ub96FxBnIi8bvTV1ZXl10rFTTIFv8ZLA6oV
            LRzHQzwGe5orw1zndw9nzwqa4DSbEVtoUYJdeGVoOAJTyvmtH+RrCV+HZkTH8Yu2
            LPdtUiZLxqbFeSQeLVi2wv3y29gQuAOompClj2bPwyjUspBnA6rNxwZUd22ZdjBm
            jc4D5h0tfZ1X8e+m1gRYsEnTvk+DNKZIo7tlorhtd8Oy78XmFQi0WwRi05FiQdXZ
            IXjs32xDRIXeD17SSWyifwS/pbQT4UOm+zexZQmsBGLkS8aT4gtKYIsquKAtxajI
            dGKHLy8XGJRYWWp4lNaiFdQxkOoEvxrvsIPbnyBAKoEXOLvd17hnrr0McLGyliEh
            xyHDigWd5tet8q5zzA/u+Q2TNbWCg57PvkLen/hH80Bv9oM698QI84l2m+yN6szx
            yOg69lBBxdEW44hMv5h/is5SOxo2frPCuFIwcaZ+E3m1Wt7jSNYQBjavDcgb3hhq
            t4dyu8hW1KMce05g/ymEDtfsbVSm524bZNPbcBl1xgxnwwnTDY6UyUtsuIx2h9Fd
            rjlIPHLKQsLAakVz1PjV8ZsFsRsAFDxc7r3Dmv0cUFN33zXoa0SEAj/5xuX2dnes
            qPtFDIG+KQYBMmeMfyZPITgzzibpQPMGe0D7zmndYavXG/+iIQKCAQEA+RhbXRYv
            GXfcoURGhxXbP/Fc6WIsp1yVihhaCpXLm1qZZBqNUtGxLXSbiyjPHQM+OlnFepPR
            fhG+yEtT+9emRFoJkgQ5QVWEeFoXr0IGc5+KlHirmY8qQRfkqhq3KPxk0UzG5AlD
            nX2vx5xAyopQib4oEKIzaucjQFwdfjgUPNuXbRMX01lSJ+E6eNtfIC2ldlPh6y5R
            uQ0lvSStLY5KSFXL1fLlWBt4VELc9zL0oGig6I2tv9Lk2uOwS8sPZUHsqcs28XL1
            +mV09pd9uq3e9ZNjzhPOQGKhBn7zrMPjnaIpHCHeDvslV72dRDJ0Is060oe0u6IV
            qjZbcmPPSJcgVQKCAQEA76NyeINlz5JcCvOY4q9LsUjpMbKO/yc4vOvaL6JFqLmH
            8tRnlIfkTvyUGL4xYUIIy003XF1HzK5T1KybAVvSCtrf8ZS5E6lrC23FgSf8K+m3
            Z5W3focCWj8ijnJrFak3NdVH2fW7vp5HUV7nf4wT8/Cx7l3uuvd0M1Lx/1pDn+ht
            Hu07o2HFMy6y/5gDW5QyclzapA5MzPbRJsNL5Qixi60mTuEBU3j44eGKYYgdVhp/
            U1ysk8LxRM+QIPjFiC7QSBPC/CP4Gmu8PkSqyxGAZZySXthghYKOsYmHnO3jhys8
            spQQIlDIJykeBOdNgO0PbTHt728ChGkkqXdvkudV2wKCAQEA3Bwox6XNssyWui4x
            wDaRCfzG5DfrS2xle6SvFAFv7HRvbOSFkvRWgtsygxJpibKO71LaTMmH6cXWdvkR
            Wk4hzu5c3Jk82r2tlAfQO/604sDM3QuQXt4CMYjid2mqBd6ZW9VjPqftBqLEjDdH
            jXIRXtYYYzJhCwr5vGppaVo2j9xe/3RKrmiUT0cXuynl8fJD7r6KuJ2yeznh6jQZ
            j1LX0vl1aDX9cRC9EIAQ76MoRQKPhU+EhCfgMIfYBfGGRiyt6w/2Gf9C2qOCalBN
            OoNfrFM0cypPK9e7gJj3y+dBH87mUsSei1BjnBeie1u2AfamDtj53H+Kc2EbB4ao
            6PUaDQKCAQBbogBPnM79hFW1ylgXtjgXXm3tFv4fCvxjITyZIk/IqMkXTakd3qiq
            m2J146Q2MG30b15P70tZNP/RPv82kcnLZM5lLh1nK01HXX48WPHQSNpcvZ8gvrdj
            kui/13ijG8WEzD1hVtmnlhZnQwb6erHWgZ9IKpry21SPm5P1tKpPJy0yujwnyWcC
            n0TK/3GpPw3bNS5VtTIg3fA0BlGrDpv1cQxI9Tjwlj11Ai1MBiRRnGg7lCBZkB15
            1nSiZv4BiQUTypqwl4BzeebNWKyGYfba4/gEVHD0HGw77v7wPvbV5O6cyokw1frz
            HoHgFiJIvl07v+/fsm8f+qSOOKFtZxApAoIBAHTmvV2U5vExFQR1XK0uVrJ09v7o
            0bUR/dZURohbKxflM+/97Mj2PTvx+rdPcPDMQCJG0t67wpZEvjjV11MvBRGmup6L
            nwkK1G16K3Us+jcW7RoEGzF82zNZYj7xegnNWu7l6piTPrpDuhrDqVo3eccN5Jvb
            eDqg1Du+2a2cOgVkUjjFhcRC5JnehgyKL1LcROF19Pvv/0jEpefew6CXYEe41GWt
            5TztXWoz0pp0bNZ1lkRNRjHl3vc2wgVELNjoebNu7J/KD6yyZnZ5bY0ZaLASkfVQ
            oBpcFBxI2blnH7+tVfnGb0Uw3O2YlenD8mnfxQs9JBGM5EC2/4fpdmjCCEM=
            -----END RSA PRIVATE KEY-----
            """,
    };

    public static EngineKey OfBytes(int modulusBytes) => EngineKey.FromPem(Pems[modulusBytes]);
}
