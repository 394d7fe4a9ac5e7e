# hsharness serve, or any other of its commands, as a small image without a shell.
# A release has a binary for each platform beside this file; make image builds one
# of this clone.
FROM gcr.io/distroless/static-debian12:nonroot
ARG TARGETPLATFORM
COPY $TARGETPLATFORM/hsharness /usr/bin/hsharness
COPY LICENSE THIRD_PARTY_NOTICES /usr/share/doc/hsharness/
WORKDIR /home/nonroot
# In a container loopback is nobody's: what it may be reached by is what is
# published, as in: docker run -p 127.0.0.1:8700-8720:8700-8720 IMAGE
ENV HSHARNESS_LISTEN_ANYWHERE=true \
    HSHARNESS_IDENTITY_ADDR=0.0.0.0:8700 \
    HSHARNESS_API_ADDR=0.0.0.0:8710 \
    HSHARNESS_CONTROL_ADDR=0.0.0.0:8720
EXPOSE 8700-8720
HEALTHCHECK --interval=10s --timeout=5s CMD ["hsharness", "serve", "--check"]
ENTRYPOINT ["hsharness"]
CMD ["serve"]
