from sealog.server.settings import Settings


def test_the_limits_are_those_that_are_documented():
    settings = Settings()

    assert settings.body_bytes_max == 32 * 1024 * 1024
    assert settings.page_max == 1_000
    assert settings.page_default == 50
    assert settings.wait_seconds_max == 60
