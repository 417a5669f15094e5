using System.Numerics;

namespace WarpDrive.Engines;

/// <summary>
/// One RSA key as both algorithms take it, an input and its answer. The numbers were made once: keys by <c>openssl genrsa</c> (half of
/// them with p and q exchanged, so that q is above p), inputs at random, answers by Python's <c>pow(input, d, p * q)</c>, that is
/// without CRT and without OpenSSL's arithmetic. Nobody's secrets.
/// </summary>
internal sealed class KnownAnswer
{
    public const int MaxModulusBytes = 512;

    public static readonly KnownAnswer[] All =
    [
        new(
            // 1024 bits, p > q
            """
            rTnWXOL1AvyTV3EoRVDseQgeIfh/Zmuc6jd6Tcfgml949yjlk45S+JC0fADRtg3knTxE5i3FGineGECIwbe6iacJj4XiVHCximpGiCjPyZJvstCO9SQ9MyPhiMzM
            iqeIySPVm9BRDq7DspknQI8naqu2H9cq97iYohNkx/SA5hHdld5Q5JPkOfQCD6XuozNYfoMF/8l4hmhMxV8c9jA9PV2uUtQkMgoWdqV+X2Kebsy9W9HXx7GcmdGz
            iz4Zmv0F91B/ax7rnQV6QwBWhF87pvEV+oz2/wq7BVkL4ZYuqVw3OWlB35grTkCwuZdORqae/pH+37imB5cIoQ1AgTslK9BgBSUY4kXf619xP1FeIYOj/AUo4faN
            2SXawZb6ja2AoeR/nLr0zifmIZ6zlGmMge2nRjArgYM+ftBewEU2rJM=
            """,
            """
            QzIRFS+eadENwLS2plTQV5EQXPQVTNJNmJvh7ICflPEzAOLEAFW143p8KVzXcXJrCNwbsfPdjm2YDsSSfTL+ElyFuazyiLxkIgcKoO+bJwLczeGFv35hSPzwycyS
            QsSgsDV2yWRtWF2Gf2Ayb/qsFTAxT6+BrW/ZoNqk11MvpGHWEUafl4OtKlq26L8UZtJPXG8ThJUkLrhocwPWaytsq+1PXZc1oWcaCabyuOEqx/UwhXUZh6Jy7FHJ
            gLAICE25lq4yKd9uXlDIdE7z9x3+FInwSgPhHzk5mTi75dwnb6CpCqpNNQDF+tPesHHwhdy5SgWbXd76oNgcPN+ZiME41w==
            """,
            """
            1P/ly8L+W0LgiUuyQ3dKcEv/xyW7YidhvhmbsfVR+z2/6nVhCv1X5pcnwWcitDb9hcrtZ6SgFdZk8EagCQ0ehsI7nw7mOmRfyv89GL0AghHEa9zbtq2rUeGsEosO
            fDvqn29sRHYylkV7VK9t/t7uiDpIbgVbXafqM//Si1qlO9w=
            """,
            """
            0eEAyDiliz9wjdHnldIxp6Twu2SYEn0LCQd9F/67Rh+g7TTVWmzVJH+zusnqxeU+PlAqV0eO1h3rf+RRQsydbSlyCI50N2JKVEQcjdVZdOgJbzbSb5er9zSH49rR
            kcZ8C/UHHBYCRaMnFNbSzNw9TnxgRXsFGRkIWdYni/S3jg4=
            """),
        new(
            // 2048 bits, q > p
            """
            P70Gc4pBej2ByU/tirv7wf0EipO1RozLYuL0f5MhJH9hm7rwdCYlGSVgqkuA/s/uks6w6aNyx6x8huTnVXIcVF+DadYCtqrNNdXA/ll/JC4X/yiPDQIM1k4UJtCV
            37k8I89Pc6XODcJjeiNS4V0OdG1YzwAWtB3HCt+SevBeiVdIAo2FKYnidOCeJVFPJ47xdvw37PlEC0cfZlVBow4lMj6drOezn/Dm+2Y2hMQJIkvX9vWu8XXUh6MC
            gmORs1xUl/a3H6e+FLjI+p0M25b8SBr4l7A9OEom3y1/fiUbP6A4BTMj6RDWjqcgyCfvl80rr1jHycCd0sA5py6mpvkwMeSM/mzXfjFt6ScPhHFAVuzOxiH70u4d
            TRMDB+SnXJ70gINHOf0mqXFc2Pygc1XcImH6+0/4GykgmKoBSrPWglMrYCy6sEwpWJK4K97PoLjZcS1uchB1keJuRFZKm/Rj1nFcwYBqstvwYshOgfarsPeURyil
            W9EObdl2VVX4ioWf20dc/X2rTxXyYXcbrEVZDoLEiWxH21Kosz+Mw0TSHOKeGtQ4PrSFlvLbyo5vW6Q7NydkM2AYbotCR5Nmv5a7OUPdEOUgx2j4VhBL1cHcE38l
            hkbCnB0cayoKZ27XydDj5neCTxRA/R2K/vfxoMp1a15hAPU6ZgCYZqs9wYAOvVlav2EoM46h4chtAiHlRi83ASen3PgqyrLoTN7RQ051wQFQxoFEjKnosXJ5ApTo
            0EJMurEOx8MuETXVBLdGwwEJnwU5ETq/gEZwy72xCoZtpyDhIKeZo3pU+/x51kh+RgNgJAa22w9j3cf5LyFbEczYOJaD6st34hcMv2/JBkoCQA==
            """,
            """
            tkPe3/DqSB4QwkG1QzyPVMoYfNVN6HKaxFKfsd8+dHy4ga8SDQDxO8CkovEXf9ZuTgpHg0xDXKfAvgBl/n6gVvd33AyM41wvF/3y3dzvAkRddwX0X1d1MV9QASx3
            5DzjyBTVY7FkjXTrVpZC/exlzrbjptN3Jh18VsB8Srj11VWIoa31FBTt0bLhXiZtyKbO/+vOqJMht8BYWBYmF+674Fqgbtkst/VAJg+FLcw/XtWFjT3L/EH5sEIs
            ksIevGYnfibrRwe2h9NIvkyUyymGoWFaP8C0V6GI1M99SJJuHaDnxNBzBd+th1CzWVpxXOUBnQKlF3cqQ6wTC3bMXpPv0cPEU8angRBPP8++peeMLhKkg1D4Fgra
            ErdPO6rCOvJF3DA/QEN6HvUrtxASb+Y2voFVpFV0PZPpFNRzZPpkpXqwka8v3vjknhbR3XhF5sxUQyjqsldxZ2CwST1WNeHaom5A2B+c0XQztZXrAPHc1O3Oi1u3
            GztIGBVeAXcSIZ2z0AeJcqxwIjsmzUHuSm+Zr2HQvwBhng4KUx1uX05qnslW3dGT44LRHqMe6OVPVoAQJmBkqXYbdZzgZa4LrJKDZDedxymj+xasH3y0p46MOXJg
            8EmwuoU4lQEzsVocdz8xEx4PtaCjKjaQTvny7xDpruZoLkc1q4sWm5edo3uA10c=
            """,
            """
            pon7+XdVl0pgbUWr3xu1jfelDyQl9FMCWOKnSkQt1dgiAhuVryL6Uz4IbCTUpZ5U+N5FU0N+4RQ59MdqcwSLuSwmU1yqeaIO7/FLBTCTfaTzdXFzv6JNnbFVrkgq
            G0Y4jfCJ/ilE4eMfa5a+eo83hqCcfUx69d1M2941I+EPwqJcg+Jnz1bXlFzv5uf672FZx9vjMhJs+uIH4mY2I+S6PgP3OB6MsrRo/8nYE/OqKqrH3x8XC8xffC9t
            pzvxhTJQiR2vILgD5g+V1Pg6/E2FxuAcpI71oqxHlzoRkE0/1C4yjUAxyOwJmz1rM653iUMrvW1j27Tmiey+i6wnRTNpIA==
            """,
            """
            t1m9btF23eSLceFoClYZ3M3trusHzopRWP3NsmuaLu90FHFSqqTNdBsVpeGOehXWmGgVAXGgNGwV5Wmmjwmc0jafPj2F85AHyP0C/5hrU7vgtoMIOJxlmIh6RRK7
            owqAkc3VHzi7qVypmZKqwBXW8FT+t5uMq3x2k+zCf7VrPsV+777bUVnfopzgVErOkCZzHlkIeT8Tmu+y0qDnorMZ99fFkPv/zMZUgEyMRdjjn1Th/xV2eN5Z+xS7
            SL6eikxSwqZVOZQ0qqzoLRW2x8CU1jnNJPfklVVtRjiLf/X7c4odLJ7QLg689RSKgEiZwxDyispiFiyGmXnxndGpkwCLBA==
            """),
        new(
            // 3072 bits, p > q
            """
            STLd1DtDExtj9TnrnoNGH+YJiApVIRiqWDICQsexWB1dK7Tqcn+AODibbRa3ahXMcxfFyfvnuCZxQmITBwPZGnqM+u5xQ80u4Q0Ovc59LUEHG1DjpKEIkBOIuiNe
            XBe30frMa35eSSrTETUoIBpbdSBVPzH8WrEQa+LxcJ/4vw9jDSWvX3AH1oLaeinEnOekWGfqAXZz3C/Uxlo9MydKG0QbjAdMiNpviljv5oDQmqSpqqBadEXQc9TW
            M93jnlFht7nXi9AbX855bKBIl0l+POKhc9tmJuKiI0mPDgNqO56/CWTPUbe+bn99kV7eNUKlBRW8qLt0Fr8K0w59UPZGyZQQ6h5S0WjO00rNjYi+uG19w94LuPXm
            WsS6ln6iz0c7fF9qt2ggjQXQpz+dVUkO8M2XEZZeROrkM2GmXXsNRAndOnQYG8uFCIm5Cv+S0WPy3Y243nHy5B1IsAV3XW7EVC3BZbsuUEC2GsqkGoo4VMKJaMFv
            WVkr9g5YNqqCkkot9ndpayDRyXnVFBGwJM/5uoEfpVntABOCzLW/P1453lAJYO9Z2Z7QBB1MkdzqcMJSZh5rjs5A3mkiGiNsz8tkQKcv8ni+Dn/7jrreKChWpSvv
            HeHktyTlLvthghsMTbtytkZ57WmqB3w3FUHim4wzIUyhnI6eoL32fXdjsK7JzIyZ/xANiRf7CRWVRI3SAF8injOW50eDqjBp7rsgsGhXk5ma/Z4MNR9cVzvLYfgY
            xawXWXamTusflm3FZtqI8kgt/hnzCweoAS1KNr8qn3g778wgqnDV3M1MWMr4tFM9+30lSdQzbFto+0Rc4iYCYLVRdN6iFiaOZgldkh8ZNG8SozviICEtENI4kyvX
            B5u14oaCz6szetl0jkuZJ6vb0GIUe+IAMClygWl5uQNtpFglvZ4g80/hM8W/ApelJdtt9NKztV32Vv+2dlmUu6mXptTbhSFNjCpRsi8oJa1tASViMylb2XkRpCzE
            PEuVwE6WrejCdl88GdkcCNRI8DqRsoLvD+3s1ofROb3N8ISUh1KVHXhY4fUBl31sb0RgBB5FLPkDhF34HfK64aHW7KlUwpCwOhadbDaKTbcurMDGsa2QzeibYF+1
            iPaDwew8qyrVW7qL37mAaUU6uYxknrqUlfrMSEUVThapvbF8FHagi6p3thvogV8uK02Kuhegu+Gqs8D2CQiIrDfaYjBdA6HwbSa1chWL0tdV2V0S9WjKt9fRFVER
            kLz+UhYGE5yXmFUDLpn4GlA9WzFDQVSv/qRorvnC
            """,
            """
            rhOqzupIFOPqDzYFuNMRPCMbPFHZekfmY8SgcMlppJG9szeRNeKDlzjitshKIMEchrCDtKR8TLJU1TCaadUily+kmbE4QS5voZ/5JiTbrveqwsPztyG/NyAHJ1wJ
            EndnlBi7gy7JbZ8xxnOLWlTjoYwD823A6bxxo4swcvUlFGqTFSEjGefIuA7o/jdCcsWTYsQYt53MU2QiveG+MWSPDSr4WlelNQsdsaWQmZ79owK+p/pb/D9GGyUF
            Zfnj5rGatpNcGe2AWeK5iQFScrm2dT8EyVnW0xfVcgnwfoYfW8mDGnwsRJcTvrAZoQfTN1NGHozt9NcR0CnxEZkl3kOdPJrFIGhb2Yz+27RQ2SyGW9vZL48K9W8i
            7DbVjU8wessRDuqZwEeRAfC138GEY0wqpEGuwr4/dHourIadqFNRwVUXZh/C4te6nnfN4aV3GNTmgWRWWAVN90zpGeFaSkRkpj3UPe0H0236I/097OjWZ4+frSvy
            wMHih21pSO3UyHYR9KN2P42XlYZHn3jaK63jNVlxgolhaxvbkclH/3BzUEPRyH8eV+AUsbXmz+UgzONXLx35o3J2Yh+xsb+uotyYPPfioJGMwSMrqg2mur5o6ltK
            MwB8WCuZl3PlpZJSLnG7no0UWAVtUj96WWvQVse+KSA1wC1B/h55fqurXOGOHHpZNvOgt85jiSj4BjzOVKYrdQulYHcfgW9wUQGuIo4ulTeeGHCC8NFSI5F5gFrF
            b/pjScCVnZ+Bqmbr02u/k+hupkmBsBTsaQKvU2Ut7DxnEMcnCjAZcDBEmbD/JJ6a+8PBkUyhVhz2YAIArW3fvMkO4P0k14ruPwiAjHctKMk2TR8w1OVTDNZAbtD7
            rkC0B4+aYfmU/Iw5gEl1is8YkYDa92sAzRgQiviCARyXvTMcaT6ikjllgZZV/F8P8lr5oM1JC5w7VYzs5Vg92RryrJJmA1UFzrZMk0uwjRUUiXYuNqFhu0PmJ4Ai
            CUxjX9y2ECedjUctbvOG6cBA/RqPIjwD
            """,
            """
            2wl94yQ11KAg0J2J4GBfLWgDHA/WTEmyw9i36njRiIRQ5kgsxeV0WONEGk0965mZVWLEsEYKwmPGldMpMaO+mHsx6OG40YByI+w32lw8aM/y7CGnvDv9mSjD5evG
            3lEU4FjxDvE+KPBKi2YH0Q2X6NgLVKOw93C7ScAQw7zllCSgB52pKCCybvUwAJLGi+iXAT15bBOBzSzCf684UO5Mm8wcbby0tkOOVAtPRj28CasvMDheXQ2kcLzh
            PjftLNFUqOGMGVzNUJ2uzluXaOh6g+BDeYn+etSYKkGpfIdN8KB6FEyAcKYrL4bB+RqpuyUSqIwxs/yX3eB0vs7YUe3UHamagb9Lv+tmJFy8SZdAO7HOYbbUpr0b
            tvVOXe3U/CphYBmJkmZzQwm5kXgpfvfq3E/JDWFUJUe5cATKFIeXIa7rXbSggvd0fbB9AL0QdTYzyC4rmOycVvgQu6BaON2e2SGWIYR6Reu+N5EI8QmAdv3TJjF+
            JiWR3v31eCtyj7iG
            """,
            """
            OXh23bNwuHpEk5UNaoi5JfCfxW0fXg7WwpOEE0bJKanGNAWVSBmxkjFTywlpR/gkEJjbYnEI5ITMolpOdIOm6PeHgGtGQNUClXX9+V7QXJz/QJIyUB72iRhXuqmw
            u+nJc2EvftepBchWtR9h9aKRR0jgFEpg23KqQFN5kK2rNpfzKP91EnBmZRyFHgcmN/unBJJTkrhF0pU/8YhaTdQ1hE2He0UaC4oZHbZpBkuQOYOrgn2OQNokvLQ5
            +5yXm2dbxB0aK4yZIT0zHaho82bJ76M1XwRxL5mdZujYecXtSWrAm8e8zRSqlX3rRJdlXqZxmXlKsG2SvxG3JnpKDLx0RX4KlMMdWYvn1itPjeoG5lmrXgKVhpZJ
            0qYxYiXXwzxL6wSJJummFyNzJYzoPEWkZrnkMiSiWzHCPFvLhZHFoF8Ak5fJSG/xwGD1pNlHNpjkF/nnXpXT6dMkUN0kK9yrrBxwybFaHppLqjwdYCIFLCQPhDGl
            6Z6ncrNhQayHoW1N
            """),
        new(
            // 4096 bits, q > p
            """
            tL3vxpoUD/8LW3/gpiBpMxOfUWgAouENmk8oTxEHd5PmGIQ5S/WGjCTnn87AOqqUIixNKwicIcZJvG/dWwMeXkudXC6DZDrg0p6e4vRq+JpgX6lYA5xB2dZ/bq+U
            QzcEOXI+Jdd9xoZDOa0VSvQLp5jLX/HKHkh73ZUKYwFyUZusGdCL0LcdfSqmfSeOLCrTifH6eE5kflnOz/IDd1wXZhVTD6vI+a6r1iUbaxBe0iJGvtN6qQWOozOr
            nWV4AmajghcENhV2kgzfekwqzkvi9PdJ1PcKu1LknRU3omTiqwv3v6FoBWj+eT01K4+PZpBwzfjuQqnYQU7OQQGi5CV8W2oiAVOw00kn/Ju7t7HSO6aw65uEEHCU
            A+IjlbAyMk3KhTACEOnF0l2nav2uix/LZEBgsA2LGHW3lbFGXddyut80IOH6uzydMtmp9Ub47KvxaMgLDLrNAExTNayko1XD4t891O5b/ZNFtMU6ewhHRU0URUAp
            Ew9KK+cM2GDW8EjD5XX/L6tQbXqdChAWX+4+D2D04q/2UsGLujTP7Do+8m4DjDz2VCOJY+s7cQgJPQ8f5idMpTlRyOmPD3nC7uA6XftTop7wQQrTx6jwpslPxzMw
            sGO2kqtYIh1v98unn6anadn/adM3yi/tn0eYJzqrzUsJCW8k7vZj8boEDPLvu2Hu/pez+ono4vP7yAK3heR84HK7xSYJFsvYIQd0V2hFmimPlmR70A9MJZnePhh1
            iCby9dOQ5YjfhMHUtssZFEfC8AW+Gjn07WU6oxJEVM0KchpiPVRI2b/UKPn6d9tc0a5nSNzSFc4lZ/pr3DCdUQdbxXvjyJ6h26ioY2skC/La4MkY168kGp9Ivc6R
            jdDciT8l2lPc3F6rq5Y/YW1TzVrB9HJCE666mBnEmGvOyRFvWcUCaczWMHUmPTi0CrWduJNwB42RF6Ts+VGsEIi+kP320/YAaEsClfbmHdkQKhdQqtYH+HpN8n9q
            Otfq06GXl0n43uh7Izcswu4kpBXzY3+vtcyHW66Tiaufx9nNuGRLpFYW1TOnmhyPf14TPfVdU6uotkJvXWzucGv4pa5SJ7VNIgznOzJiOu9m98HLQoNSJwP9CxPr
            tVSm1zd5plPnTWqGy2FfnUBjhLGe861aE+hKiFd+VBlzzc/uhAy91JqS9v2v5cKEbpJC3YGCI5eFGLs7FNOwhuR3A6FJLlTzKERJU9PPUk6LYybAwnu2F3d66Gg8
            K2AQchswVyPdqHFM5Wcau2wGJGSKm425Pad32DyVD7ivsp32Yq9t88wuvlZzsea0eVeWqzPusazMV6z/2sqb1LQz1UuJwPExrr1t8IzwtbfR6cZWT2b2fCvVOVVk
            uUNKj0Z4aVLoYbvIehQv4Di3Fd2SYtvO4Kq5ZS41fqK8/QrXQMYexrWfwV+qlkOUSgETDxHO1tju9f+C7dByscL/RdGzIBHP8Gnxz6pmMBp1/vK248NnRHD7DYvz
            JqliLmSS9qGxsvAiYm6ztTst6WVnbKTkCf8mzAgF4Zmcz21Q0zEgjoSk+HzvebLigW/tcsWi03/+MOZ369eoY1xRsG0W0mFK0TuRMZOSb5VIPPv7/1dAifVVEocH
            MWYYGFlhYU/o+ZgBDwy1bZXV+PQnJ2PvhIsoLgYivbF3X5Kn4SZidv55SN/mXtshBqZjDsqalihQjIm2CRjDT2t+N3wUuJg=
            """,
            """
            VLkBPUiTNyRFEPsmTt8N4W794BrvUd8IePEjL9JyaxKi3scrRcTdMAWCHjJkPmpn4K580nQ5QvxS5WnxOB3dgVGOUUQ0w7RZ70JuRJbV5ZWrgwRlQFvehZSq+KqD
            b73kD3KTIsKpzrwKLnzpjDZrnaLXjP3rbs8iiglSXJtLZ/L9GhiP5g+MliFXmsKXX19f5CmqBnIdjo2BRR0OfoK9NdQHUAS4unluI0GAxq5wsQcF67aN1o+82Q2e
            QGRTNHaDBzUX1ZcGRymRDJkuTbFR1H0hYpoTnsAwVjT51VOuyBjlK6JUJ6P93BUoEWKEPBj3oOLgZBFM4oiL8mfG7Viq59AEppx9NkO7UE4lApkccP/TIVPCqTe3
            F7QotNc/u/tmYdN8WueHUc8XnaFchuJ33GBn9gtbbAf3QQaIAVR5pCiCYXvKrRUtji7UivjuYVgzA3o72ELNTg2UqMwZN59c6lmrulpFObZoJ5WvtVAzZAfgUig4
            3v/DUBKHQkMt+GcdALkSLXZEI0knD++RVn8jhxIK8SZqudXDFhaddBGNoX8w4PlqKZ2kI4Uy0oG/p6T90l7iu6YKHhFDoOGhgrouWLlZ/BMPmjFXc20nyKtF8CIt
            8CCWYHQ2o4irEzLBO8/tqDLHdzq7WGM5tJhXsgV63ehZfbPVorkv51t5Ikoy27GpuPKA/QnFer0826GE68MfxOYlfSSqy2zrDItzqSiF0YSjv+GNRMRjFmuP8p9X
            l5FYW1DRWMYwez7Lee3Aj+bT8eFs/Cx6PNh42sWj4A+/XF5wemM2ltg4bb6LkMIk5e7PjzZ3OPa49Eb6ceM6VhdNwx0pvjmdUEXvTM6ZZtSahMUTxYPFzszsNamw
            d3W6rMoSvt9ouaTfmrW0eWF5fsXvF3oAnFI4b694Bvr0R5RiYCm2vp4HqlNYF2hNNR8wfYLzqSIdfe3g3sytFCAjDcK+QLKJY8/Fr3jU0r9X1WaUCKYd11q/g5d8
            37zxURbQrM8Ba5kbSK3/tr6g1gtK7DZRF4mPLFylSrE6L3UXZ4rM2qOTBKqvP16kGiCDh54/zCOcj1efIS054kwLK9ZB7mKLIRZn2GHwh3nfJYuH7JOTg5q1y6V8
            1A6hgH/P88cvhAWhgkBj1j60MpovA84026VRz5lAQQuJH/Qq3uR4mPErFz06ZK1ttJqFqWZKbRVwTpyCDfAJKhDmx0at0UiER10kW12cOgEnRSSszMo+9q/2H3Hp
            jITiVN1t4Ti+aMq24raWNM1Kg59GObwADA3gJVPri+iw3aq1Tk96MlPIcAlUgORQVXnexcQCpm/tk2H70HSzztpJCcaj+Gk0kXRIWAQUJRCU9A+AUFsCDcACHOKh
            dw==
            """,
            """
            mt32UqqURiFK25tslSd5ZtlOj78UCcEgVZG0b3s4jMIysz3yZqRx9mg8aehDoGiJ5AzYPGkVZA/RRClmlvPBQATLYBn8dp0KP7MJafJzmJiqWMPkfoAkdg8OSXaV
            7Om2UUAzXBKH72fcmG5bL/6nPEtX9m6hSShJmz3SPXZ2dRDw/PwYwK/cxWEdWZvF2n2Oc2Vs7cWnOSg2H47TX5cB1QysQep2aCrcSMudaK9rSKih8nlt03YkAH6F
            8KKqS9QlwGauxIEBt7jPbjfXtynKwseUS6TH921Rf4EmGAaGvg4GWSbhgm5/ztBuqHGPX/iMTjxSg2L2s8/AGA1m2Jo+2b4Y6BEGivxwW5PLRiDZAD8ac8R3KWAA
            tv2ybkKlmz+j2OSUqvFlzF+V5C0hnivWCi0V6E6A+xP33JbjlgGCTxvsLVsaLcJ4mbAM7Fpo/bH7grvQGUCUZxGkU9cEm7eKN5wp5UDegGR+FU+OJ03NyTiV8N4c
            tVk7PCWP1eoGMp2/79TED0Yyt+buqXixvOIZWc4owRzDxZK3EC0TtAhx5t5jajJsbIfd/JOu0Oca+kkysMI9hSvgvqM4V2ThB7e8hTNA0F1WRHho+ipzzzcMWI+Y
            68zjTqk7NocXAC1icPRA+Cfo8OQFB2QAm2w+AU8gnEJ8ITlBxvXkpQ6uaww/AvQ=
            """,
            """
            hG3UefnUm1IuEsrOmiYOYSFFd8mZFZaIv/wQZNSDSVrRtsGOkjZzs+1UaZ6gPXjPJt+L0QDzfySgehvqJtazQJ7XfMifcBVHZ2GSicixKKXA6ce7OSU+T+ufUOCf
            LWI1+leH0K4fdsVkhxJQyoSUF7xLBs9kdkd91TZjMO4JGSJKT2L0gdB7HfAX58w0WO7ggIA4miytDinmDa1nnLbdBXWCeF6HpPU1Jg8JL05+3VAI7Xd832zD+1bu
            0j1azxjNIWTJ7dcmVlX5v8LE9kyNBIZTAEUg03W6OwOyKdc0qtNLj1dsZflvTss7ApyQdid0G369XtfejONIixHOcVNYB2V48qF/hzuKGVvMgzdLgDnaMtfK+eqE
            sqGQJETxIG3EEJ1VbreUpuVR+CZppX6fZEdV3TAdojV2GuGQAPWTAEAiFddEpivYa/HbrggIpibWySTml9oSn9PAaV5tPnaBI9JTjReK3K0OE2mVFFGRUoFntrxn
            vIOIM5Z96M1Ep+1KTDhh1WquwCL+qEO+a+cD9v9BWSgxI2v5TTE9AJhV0+CR3RlGfj6zfu0WsUCHODVacC4GaKWwA9ARJ8BJJcXn/GNI2OYTmIfh6lAQ02CgwVhb
            bfCtGXycDqW/xoqyDotn4KT4DOPPHrubBMGJ3HGNCTryV4U886b00DEjiSo+UwA=
            """),
    ];

    private KnownAnswer(string crtKey, string plainKey, string input, string output)
    {
        CrtKey = Convert.FromBase64String(crtKey);
        PlainKey = Convert.FromBase64String(plainKey);
        Input = Convert.FromBase64String(input);
        Output = Convert.FromBase64String(output);
    }

    /// <summary>dq dp q p qinv.</summary>
    public byte[] CrtKey { get; }

    /// <summary>Private exponent, modulus.</summary>
    public byte[] PlainKey { get; }

    public byte[] Input { get; }

    public byte[] Output { get; }

    /// <summary>What both ways to make a key take: e, which all of them share, p and q.</summary>
    public byte[] Primes
    {
        get
        {
            int k = Input.Length;
            byte[] block = new byte[2 * k];
            (block[k - 3], block[k - 1]) = (1, 1);
            CrtKey.AsSpan(3 * k / 2, k / 2).CopyTo(block.AsSpan(k));
            CrtKey.AsSpan(k, k / 2).CopyTo(block.AsSpan(3 * k / 2));
            return block;
        }
    }

    /// <summary>d, n, qinv, dq, dp: the key that is made of them; without CRT its first 2k bytes. From 2048 bits on d is the smaller exponent.</summary>
    public byte[] MadeKey
    {
        get
        {
            int half = Input.Length / 2;
            byte[] made = [.. PlainKey, .. CrtKey.AsSpan(4 * half, half), .. CrtKey.AsSpan(0, 2 * half)];
            if (half >= 128)
            {
                BigInteger qMinus1 = Number(CrtKey.AsSpan(2 * half, half)) - 1;
                BigInteger pMinus1 = Number(CrtKey.AsSpan(3 * half, half)) - 1;
                BigInteger d = Number(PlainKey.AsSpan(0, 2 * half)) % (pMinus1 * qMinus1 / BigInteger.GreatestCommonDivisor(pMinus1, qMinus1));
                made.AsSpan(0, 2 * half).Clear();
                _ = d.TryWriteBytes(made.AsSpan((2 * half) - d.GetByteCount(isUnsigned: true)), out _, isUnsigned: true, isBigEndian: true);
            }

            return made;
        }
    }

    public ReadOnlySpan<byte> Modulus => PlainKey.AsSpan(PlainKey.Length / 2);

    private static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
}
