import '@sock/vsock';
